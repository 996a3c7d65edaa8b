"""The figures of one event, by the photos that belong to it; read from their own index."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from ingest.models import Job
from media.services import select_live_results
from photochanger.db import clock
from slots.models import Event
from stats.outcomes import Outcomes, Timings, outcome_counts, outcomes_of, timing_percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFigures:
    """``kept``: pictures that can still be had."""

    outcomes: Outcomes
    timings: Timings
    by_slot: dict[str, Outcomes]
    kept: int
    kept_bytes: int


def load_event_figures(event: Event) -> EventFigures:
    """Three queries."""
    now = clock.now()
    jobs = Job.objects.filter(event=event).order_by()
    rows = jobs.values("slot_id").annotate(**outcome_counts(now))
    by_slot = {str(row["slot_id"]): outcomes_of(row) for row in rows}
    kept = select_live_results().filter(event_id=event.pk, is_listed=True).order_by()
    stored = kept.aggregate(n=Count("pk"), size=Sum("size_bytes"))
    return EventFigures(
        outcomes=sum(by_slot.values(), start=Outcomes()),
        timings=Timings.of(jobs.aggregate(**timing_percentiles(with_overhead=False))),
        by_slot=by_slot,
        kept=stored["n"],
        kept_bytes=stored["size"] or 0,
    )
