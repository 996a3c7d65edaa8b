"""One clock for all machines: the database's, carried on by our own monotonic one.

Whatever rows of several machines are compared by (deadlines, expiry, what is late) is ``now`` here.
No wall clock of ours has a part in it, so machines minutes apart agree, and a clock that is set
moves nothing. Each new connection reads the database's clock, and so does each photo, with its
slot's row. SQLite is on this machine: there it is the machine's own clock.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Func
from django.utils import timezone

# A reading that took longer says less than one that was taken a moment ago.
QUICK_S, OLD_S = 0.5, 60.0


@dataclass(frozen=True, slots=True)
class Reading:
    offset_s: float  # from our monotonic clock to the database's, in seconds since 1970
    read_at: float  # time.monotonic()


class _Clock:
    reading: Reading | None = None
    is_followed = True


class DatabaseTime(Func):
    """The moment at which the database looks; ``now()`` would be that of the transaction."""

    function, arity = "clock_timestamp", 0
    output_field = DateTimeField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"
        )


def now() -> datetime:
    """The database's time, aware; our own until its clock has been read."""
    reading = _Clock.reading
    if reading is None:
        return timezone.now()
    return datetime.fromtimestamp(reading.offset_s + time.monotonic(), UTC)


def measure_skew_s() -> float:
    """How far this machine's clock is ahead of the database's; negative: behind."""
    return (timezone.now() - now()).total_seconds()


def note_reading(seen: datetime, *, asked_at: float) -> None:
    """``seen`` is what the database's clock said between ``asked_at`` (monotonic) and now."""
    answered_at = time.monotonic()
    if not _Clock.is_followed or connection.vendor != "postgresql":
        return
    last, middle = _Clock.reading, (asked_at + answered_at) / 2
    if last is None or answered_at - asked_at < QUICK_S or answered_at - last.read_at > OLD_S:
        _Clock.reading = Reading(seen.timestamp() - middle, answered_at)


def read_clock() -> None:
    """Ask the database. One query; none on SQLite."""
    if not _Clock.is_followed or connection.vendor != "postgresql":
        return
    asked_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (seen,) = cursor.fetchone()
    note_reading(seen, asked_at=asked_at)


def read_on_connecting(**_: Any) -> None:
    """For Django's signal: whoever has a connection knows the time."""
    read_clock()


def follow_database(*, is_followed: bool) -> None:
    """Tests set their own time; anybody else follows."""
    _Clock.is_followed, _Clock.reading = is_followed, None
