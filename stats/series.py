"""One slot, or all, over time: outcomes per interval, and the last failures."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Func, IntegerField, Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone

from ingest.models import Attempt, Job
from stats.outcomes import (
    BOOTH,
    CLOSED_FAILURE,
    Outcomes,
    Timings,
    outcome_counts,
    outcomes_of,
    overdue,
    timing_percentiles,
)

HALF_HOUR_S, HOUR_S = 30 * 60, 60 * 60
# Steps that people count in and that divide a day, so that intervals begin at whole minutes and
# hours, and at midnight, by the clock of the server's time zone.
NICE = (1, 2, 3, 5, 10, 15, 20, 30)
HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
STEPS_S = (*NICE, *(60 * step for step in NICE), *(3600 * step for step in HOURS))
MAX_STEPS = 62  # a month in half days
FAILURES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One interval; the first and the last hold only their part of the window."""

    starts_at: datetime
    outcomes: Outcomes
    timings: Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """For operators: ``detail`` is our words, ``provider_said`` the provider's last ones."""

    job_id: UUID
    slot_id: str
    started_at: datetime
    status: str
    failure_reason: str
    detail: str
    provider_said: str
    provider: str
    attempts: int
    duration_ms: int | None
    fell_back: bool


class _Interval(Func):
    """The number of the interval that a time falls in, from 1970 on, by the clock on the wall."""

    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        epoch = "EXTRACT(EPOCH FROM %(expressions)s)"
        template = f"FLOOR(({epoch} + {self._write_shift(epoch)}) / %(step)s)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Four, since the percent sign is read twice on its way.
        epoch = "CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER)"
        template = f"({epoch} + {self._write_shift(epoch)}) / %(step)s"
        return self.as_sql(compiler, connection, template=template, **context)

    def _write_shift(self, epoch: str) -> str:
        (_, first), *later = self.extra["shifts"]
        cases = [f"WHEN {epoch} >= {at_s} THEN {shift_s}" for at_s, shift_s in reversed(later)]
        return f"(CASE {' '.join(cases)} ELSE {first} END)" if cases else str(first)


class _Wall:
    """Intervals of one length by the clock on the wall: over a day of 23 or 25 hours too."""

    def __init__(self, since: datetime, until: datetime, step_s: int) -> None:
        self._step_s = step_s
        first_s, last_s = int(since.timestamp()), int(until.timestamp())
        self._shifts = [(first_s, _get_shift_s(first_s))]
        if step_s > HOUR_S:  # shorter ones begin alike before and after the clocks are changed
            for at_s in range(first_s - first_s % HALF_HOUR_S, last_s + 1, HALF_HOUR_S):
                if at_s > first_s and _get_shift_s(at_s) != self._shifts[-1][1]:
                    self._shifts.append((at_s, _get_shift_s(at_s)))
        self.numbers = range(self._number(first_s), self._number(last_s) + 1)
        self.expression = _Interval("started_at", step=step_s, shifts=tuple(self._shifts))

    def _number(self, at_s: int) -> int:
        shift_s = next(shift_s for begin_s, shift_s in reversed(self._shifts) if at_s >= begin_s)
        return (at_s + shift_s) // self._step_s

    def find_begin(self, number: int) -> datetime:
        """When an interval begins; what the clocks leave out begins when they do so."""
        begin_s = 0
        ends = [*(at_s for at_s, _shift_s in self._shifts[1:]), math.inf]
        for (from_s, shift_s), end_s in zip(self._shifts, ends, strict=True):
            begin_s = number * self._step_s - shift_s
            if from_s != self._shifts[0][0]:
                begin_s = max(begin_s, from_s)
            if begin_s < end_s:
                break
        return datetime.fromtimestamp(begin_s, UTC)


def step_for(window: timedelta, most: int = MAX_STEPS) -> int:
    """Seconds of an interval, so that the window has about 48 to 60 of them."""
    return next(step for step in STEPS_S if window.total_seconds() / step <= most)


def load_points(
    slot_id: str | None,
    since: datetime,
    now: datetime,
    step_s: int,
    *,
    with_overhead: bool = True,
    until: datetime | None = None,
    event_id: int | None = None,
) -> list[Point]:
    """One query; intervals without photos are there too. Without a slot: of all together."""
    last_at = until or now
    wall = _Wall(since, last_at, step_s)
    rows = (
        _filter_jobs(slot_id, event_id)
        .filter(started_at__gte=since, started_at__lte=last_at)
        .order_by()
        .values(number=wall.expression)
        .annotate(**outcome_counts(now), **timing_percentiles(with_overhead=with_overhead))
    )
    found: dict[int, Mapping[str, Any]] = {row["number"]: row for row in rows}
    return [_make_point(wall.find_begin(number), found.get(number)) for number in wall.numbers]


def load_counts_by_interval(
    jobs: QuerySet[Job], since: datetime, until: datetime, step_s: int
) -> list[tuple[datetime, int]]:
    """When each interval begins, and how many jobs began in it. One query."""
    wall = _Wall(since, until, step_s)
    rows = jobs.filter(started_at__gte=since, started_at__lte=until).order_by()
    found = dict(rows.values_list(wall.expression).annotate(count=Count("pk")))
    return [(wall.find_begin(number), found.get(number, 0)) for number in wall.numbers]


def _get_shift_s(at_s: int) -> int:
    """How far local clocks are ahead of UTC then."""
    offset = timezone.localtime(datetime.fromtimestamp(at_s, UTC)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _filter_jobs(slot_id: str | None, event_id: int | None = None) -> QuerySet[Job]:
    jobs = Job.objects.all() if event_id is None else Job.objects.filter(event=event_id)
    return jobs if slot_id is None else jobs.filter(slot=slot_id)


def _make_point(starts_at: datetime, row: Mapping[str, Any] | None) -> Point:
    return Point(
        starts_at=starts_at,
        outcomes=outcomes_of(row) if row else Outcomes(),
        timings=Timings.of(row) if row else Timings(),
    )


def load_last_failures(
    slot_id: str | None, now: datetime, event_id: int | None = None
) -> list[Failure]:
    """The booths' last failed photos, however old, newest first. Three queries."""
    jobs = _filter_jobs(slot_id, event_id).filter(BOOTH).order_by("-started_at")
    # Two queries, since one with OR would find no index; but of an event, which has its own.
    kinds = [CLOSED_FAILURE, overdue(now)]
    kinds = kinds if event_id is None else [CLOSED_FAILURE | overdue(now)]
    candidates = [photo for kind in kinds for photo in jobs.filter(kind)[:FAILURES]]
    newest = sorted(candidates, key=lambda job: job.started_at, reverse=True)[:FAILURES]
    prefetch_related_objects(newest, Prefetch("attempts", Attempt.objects.order_by("number")))
    return [_make_failure(job) for job in newest]


def _make_failure(job: Job) -> Failure:
    status, reason = job.outcome
    attempts = list(job.attempts.all())
    return Failure(
        job_id=job.pk,
        slot_id=job.slot_id,
        started_at=job.started_at,
        status=status,
        failure_reason=reason,
        detail=job.failure_detail,
        provider_said=next((a.detail for a in reversed(attempts) if a.detail), ""),
        provider=job.provider,
        attempts=len(attempts),
        duration_ms=job.duration_ms,
        fell_back=job.fell_back,
    )
