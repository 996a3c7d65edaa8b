"""Count downloads in memory, and write them down now and then: no download waits for it.

What a process has counted since it last wrote is lost when it is killed: ten seconds of it.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice

import structlog
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import HttpResponseBase

from media.downloads.models import DownloadCount
from media.models import MediaObject
from photochanger.db.threads import in_db_apart

log = structlog.get_logger()

EVERY_S = 10.0
MOST_AT_ONCE = 300  # pictures in one write: a short one, also after an hour without database
MAX_PICTURES = 10_000  # in memory, while the database is away; others are not counted then

ADD = """
    INSERT INTO download_count (job_id, event_id, count) VALUES %s
    ON CONFLICT (job_id) DO UPDATE SET count = download_count.count + excluded.count
"""

Key = tuple[uuid.UUID, int | None]  # the job and its event
_counted: Counter[Key] = Counter()  # changed on the event loop only


def count_download(media: MediaObject) -> None:
    """Costs a microsecond."""
    if media.job_id is None or not media.is_listed:
        return  # a test run's is no guest's
    key = (media.job_id, media.event_id)
    if key in _counted or len(_counted) < MAX_PICTURES:
        _counted[key] += 1


def is_start_of_download(response: HttpResponseBase) -> bool:
    """A whole picture, or its first part: what goes on with a broken one is the same download."""
    if response.status_code == 206:
        return response.headers.get("Content-Range", "").startswith("bytes 0-")
    return response.status_code == 200


def add_counts(counts: Mapping[Key, int]) -> None:
    """One query, in one order, so that two processes never wait for each other in a ring."""
    by_job: dict[uuid.UUID, tuple[int | None, int]] = {}
    for (job_id, event_id), count in counts.items():
        by_job[job_id] = (event_id, count + by_job.get(job_id, (None, 0))[1])
    to_column = DownloadCount._meta.pk.get_db_prep_value
    rows = [
        (to_column(job_id, connection), *by_job[job_id])
        for job_id in sorted(by_job, key=lambda job_id: job_id.bytes)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            ADD % ", ".join(["(%s, %s, %s)"] * len(rows)), [value for row in rows for value in row]
        )


def _take_some() -> Counter[Key]:
    taken = Counter(dict(islice(_counted.items(), MOST_AT_ONCE)))
    for key in taken:
        del _counted[key]
    return taken


def _put_back(taken: Counter[Key]) -> None:
    for key, count in taken.items():
        if key in _counted or len(_counted) < MAX_PICTURES:
            _counted[key] += count


class DownloadWriter:
    """Writes what this process has counted, until it is stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._stopping.clear()
        self._task = asyncio.create_task(self._write_regularly())

    async def stop(self) -> None:
        """Waits for a write that is on its way: cut off, nobody would know whether it counted."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self.write()

    async def _write_regularly(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S)
            await self.write()

    async def write(self) -> None:
        """What has been counted by now. What cannot be written is written the next time."""
        for _ in range(-(-len(_counted) // MOST_AT_ONCE)):
            taken = _take_some()
            try:
                await in_db_apart(add_counts, taken)
            except AnyDatabaseError as exc:
                _put_back(taken)
                log.warning("media.downloads.not_written", detail=type(exc).__name__)
                return
