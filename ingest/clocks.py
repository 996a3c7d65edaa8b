"""How far the clocks of all machines are from the database's: measured, and left where all see it.

No photo depends on it (``photochanger.db.clock``), but logs, file dates, certificates and requests
to a bucket do.
"""

import asyncio
import socket
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import Error as AnyDatabaseError
from django.db import connection

from photochanger.db import clock
from photochanger.db.threads import in_db_apart
from slots.models import Setting
from slots.setting_rows import replace_fact

log = structlog.get_logger()

PREFIX = "clock."
HOST = socket.gethostname()[:50]
ODD_SKEW_S = 2.0
MEASURE_EVERY_S = 60.0
FORGOTTEN_AFTER = timedelta(minutes=5)  # a machine that has gone says nothing about now


def record_skew() -> None:
    """Of this machine. Two queries; none on SQLite, which has the machine's own clock."""
    if connection.vendor != "postgresql":
        return
    clock.read_clock()
    skew_s = round(clock.measure_skew_s(), 3)
    replace_fact(PREFIX + HOST, {"skew_s": skew_s, "at": clock.now().isoformat()})


def load_skews() -> dict[str, float]:
    """Seconds by the machine's name; positive: its clock is ahead of the database's. One query."""
    since, found = clock.now() - FORGOTTEN_AFTER, dict[str, float]()
    rows: Any = Setting.objects.filter(key__startswith=PREFIX).values_list("key", "value")
    for key, value in rows:
        if datetime.fromisoformat(value["at"]) >= since:
            found[key.removeprefix(PREFIX)] = float(value["skew_s"])
    return found


class ClockKeeper:
    """Measures now and then, until it is stopped: a process without photos has a clock too."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._measure_regularly())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _measure_regularly(self) -> None:
        while True:
            try:
                await in_db_apart(record_skew)
            except AnyDatabaseError as exc:  # whoever needs it now says so
                log.warning("server.clock.not_measured", detail=type(exc).__name__)
            await asyncio.sleep(MEASURE_EVERY_S)
