"""One slot, or all, over time: outcomes per interval, and the last failures."""

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

DAY_S = 24 * 60 * 60
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
    """The number of the interval that a time falls in, from 1970 on, ``shift`` seconds east."""

    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "FLOOR((EXTRACT(EPOCH FROM %(expressions)s) + %(shift)s) / %(step)s)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Four, since the percent sign is read twice on its way.
        template = "(CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER) + %(shift)s) / %(step)s"
        return self.as_sql(compiler, connection, template=template, **context)


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
    shift_s = _get_shift_s(since)
    rows = (
        _filter_jobs(slot_id, event_id)
        .filter(started_at__gte=since, started_at__lte=last_at)
        .order_by()
        .values(number=_Interval("started_at", step=step_s, shift=shift_s))
        .annotate(**outcome_counts(now), **timing_percentiles(with_overhead=with_overhead))
    )
    found: dict[int, Mapping[str, Any]] = {row["number"]: row for row in rows}
    first, last = ((int(at.timestamp()) + shift_s) // step_s for at in (since, last_at))
    return [
        _make_point(number * step_s - shift_s, found.get(number))
        for number in range(first, last + 1)
    ]


def load_counts_by_interval(
    jobs: QuerySet[Job], since: datetime, until: datetime, step_s: int
) -> list[tuple[datetime, int]]:
    """When each interval begins, and how many jobs began in it. One query."""
    shift_s = _get_shift_s(since)
    number = _Interval("started_at", step=step_s, shift=shift_s)
    rows = jobs.filter(started_at__gte=since, started_at__lte=until).order_by()
    found = dict(rows.values_list(number).annotate(count=Count("pk")))
    first, last = ((int(at.timestamp()) + shift_s) // step_s for at in (since, until))
    return [
        (datetime.fromtimestamp(n * step_s - shift_s, UTC), found.get(n, 0))
        for n in range(first, last + 1)
    ]


def _get_shift_s(at: datetime) -> int:
    """How far local clocks are ahead of UTC."""
    offset = timezone.localtime(at).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _filter_jobs(slot_id: str | None, event_id: int | None = None) -> QuerySet[Job]:
    jobs = Job.objects.all() if event_id is None else Job.objects.filter(event=event_id)
    return jobs if slot_id is None else jobs.filter(slot=slot_id)


def _make_point(begins_s: int, row: Mapping[str, Any] | None) -> Point:
    return Point(
        starts_at=datetime.fromtimestamp(begins_s, UTC),
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
