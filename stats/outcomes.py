"""What counts as what: the one place where rows of photos become figures.

A KPI is about booths, so test runs are counted apart. A photo that fell back to the booth's own
is the failure that its row tells. A photo nobody closed before its deadline is our error
(``interrupted``). When the booth hung up nobody was left to be answered: we could neither keep the
promise nor break it, so such a photo is shown and stands in neither part of a share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from django.db.models import Count, F, Q, Sum

from ingest.models import Job
from photochanger.errors import ERROR_BY_REASON, ClientGone, ProviderError, ProviderTimeout
from stats.percentiles import Percentile

BOOTH = Q(source=Job.Source.INGEST)
DONE = Q(status=Job.Status.DONE)
PROVIDER_REASONS = sorted(
    {error.reason for error in ERROR_BY_REASON.values() if issubclass(error, ProviderError)}
    - {ProviderTimeout.reason}  # counted as timeouts
)
GONE = Q(status=Job.Status.FAILED, failure_reason=ClientGone.reason)
# As in the index that finds them among a million rows.
CLOSED_FAILURE = Q(status__in=[Job.Status.TIMEOUT, Job.Status.FAILED])


def in_flight(now: datetime) -> Q:
    """It takes a place in the limits, be it a booth's or a test run's."""
    return Q(status=Job.Status.PROCESSING, deadline__gte=now)


def overdue(now: datetime) -> Q:
    """As ``Job.is_overdue`` says of one row."""
    return Q(status=Job.Status.PROCESSING, deadline__lt=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Booth photos by what came of them; together they are ``jobs``."""

    jobs: int = 0
    done: int = 0
    timeouts: int = 0
    provider_errors: int = 0
    own_errors: int = 0
    client_gone: int = 0
    in_progress: int = 0

    @property
    def answered(self) -> int:
        return self.done + self.timeouts + self.provider_errors + self.own_errors

    @property
    def success_share(self) -> float | None:
        return _compute_share(self.done, self.answered)

    @property
    def timeout_share(self) -> float | None:
        return _compute_share(self.timeouts, self.answered)

    def __add__(self, other: "Outcomes") -> "Outcomes":
        names = [field.name for field in fields(Outcomes)]
        return Outcomes(**{name: getattr(self, name) + getattr(other, name) for name in names})


def _compute_share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Of pictures that were made; None when there were none. Overhead is all but the provider."""

    duration_p50_ms: int | None = None
    duration_p95_ms: int | None = None
    overhead_p50_ms: int | None = None
    overhead_p95_ms: int | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        values = {field.name: row.get(field.name) for field in fields(cls)}
        return cls(**{n: None if v is None else round(v) for n, v in values.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Of booth photos, in micro-dollars; ``known_micros`` is None where nobody calculated any."""

    known_micros: int | None = None
    probable_micros: int = 0
    unpriced_calls: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            known_micros=row["known_micros"],
            probable_micros=row["probable_sum"] or 0,
            unpriced_calls=row["unpriced_sum"] or 0,
        )

    def __add__(self, other: "Costs") -> "Costs":
        known = [n for n in (self.known_micros, other.known_micros) if n is not None]
        return Costs(
            known_micros=sum(known) if known else None,
            probable_micros=self.probable_micros + other.probable_micros,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
        )


def cost_sums() -> dict[str, Sum]:
    """Aggregates for ``Costs.of``."""
    return {
        "known_micros": Sum("cost_micros", filter=BOOTH),
        "probable_sum": Sum("probable_micros", filter=BOOTH),
        "unpriced_sum": Sum("unpriced_calls", filter=BOOTH),
    }


def outcomes_of(row: Mapping[str, Any]) -> Outcomes:
    return Outcomes(**{field.name: row[field.name] for field in fields(Outcomes)})


def count_photos(kind: Q, *, by: str = "source") -> Count:
    """How many are such; counted by a column that is never null and stands in the index."""
    return Count(by, filter=kind)


def outcome_counts(now: datetime) -> dict[str, Count]:
    """Aggregates named as the fields of ``Outcomes``."""
    provider = Q(status=Job.Status.FAILED, failure_reason__in=PROVIDER_REASONS)
    own = Q(status=Job.Status.FAILED) & ~Q(
        failure_reason__in=[*PROVIDER_REASONS, ClientGone.reason]
    )
    kinds = {
        "jobs": Q(),
        "done": DONE,
        "timeouts": Q(status=Job.Status.TIMEOUT),
        "provider_errors": provider,
        "own_errors": own | overdue(now),
        "client_gone": GONE,
        "in_progress": in_flight(now),
    }
    return {name: count_photos(BOOTH & kind) for name, kind in kinds.items()}


def timing_percentiles(*, with_overhead: bool = True) -> dict[str, Percentile]:
    """Aggregates named as the fields of ``Timings``. Each thing to sort by costs time of its own:
    of a month of slots, a third of the whole."""
    made, overhead = BOOTH & DONE, F("duration_ms") - F("provider_ms")
    durations = {
        "duration_p50_ms": Percentile("duration_ms", 0.5, filter=made),
        "duration_p95_ms": Percentile("duration_ms", 0.95, filter=made),
    }
    if not with_overhead:
        return durations
    return durations | {
        "overhead_p50_ms": Percentile(overhead, 0.5, filter=made),
        "overhead_p95_ms": Percentile(overhead, 0.95, filter=made),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one window; by the photo's first byte."""

    outcomes: Outcomes = Outcomes()
    timings: Timings = Timings()
    costs: Costs = Costs()
    test_runs: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            outcomes=outcomes_of(row),
            timings=Timings.of(row),
            costs=Costs.of(row),
            test_runs=row["test_runs"],
        )
