"""Each slot's last events and its photos in flight, in one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Count,
    Exists,
    OuterRef,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce

from ingest.models import Job
from photochanger.errors import ClientGone, Interrupted
from slots.models import ReserveSource, Slot
from stats.outcomes import BOOTH, CLOSED_FAILURE, DONE, in_flight, overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentEvents:
    """One slot's last events, of booth photos only. A booth that hung up is no failure of ours."""

    slot: Slot
    in_flight: int  # with test runs: they take places too
    last_photo_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure_reason: str | None
    last_failure_detail: str
    has_recovered: bool  # a later photo than the last failure succeeded

    @property
    def last_error_reason(self) -> str | None:
        """Why the slot fails now; None as soon as a photo succeeds again."""
        return None if self.has_recovered else self.last_failure_reason


def load_recent_events(now: datetime) -> list[RecentEvents]:
    """All slots, in their order, with template pictures, reserves and circuits.

    Two queries; two more where a slot has a reserve.
    """
    slots = Slot.objects.prefetch_related("template_media")
    has_reserves = Exists(ReserveSource.objects.filter(slot=OuterRef("pk")))
    found: list[Any] = list(_with_events(slots.annotate(has_reserves=has_reserves), now))
    prefetch_related_objects([slot for slot in found if slot.has_reserves], "reserves", "circuits")
    return [_make_recent_events(slot) for slot in found]


def _with_events(slots: QuerySet[Slot], now: datetime) -> QuerySet[Slot, Any]:
    jobs = Job.objects.filter(slot=OuterRef("pk")).order_by("-started_at")
    booth = jobs.filter(BOOTH)
    # Two subqueries, since one with OR would find no index.
    failed = booth.filter(CLOSED_FAILURE).exclude(failure_reason=ClientGone.reason)
    died = booth.filter(overdue(now))
    # The lab takes none of the slot's places.
    placed = jobs.filter(in_flight(now)).exclude(source=Job.Source.LAB)
    running = placed.order_by().values("slot").annotate(n=Count("*"))
    done = booth.filter(DONE)
    return slots.annotate(
        running=Coalesce(Subquery(running.values("n")), 0),
        photo_at=Subquery(booth.values("started_at")[:1]),
        done_at=Subquery(done.values("finished_at")[:1]),
        done_started_at=Subquery(done.values("started_at")[:1]),
        failed_at=Subquery(failed.values("started_at")[:1]),
        failed_reason=Subquery(failed.values("failure_reason")[:1]),
        failed_detail=Subquery(failed.values("failure_detail")[:1]),
        died_at=Subquery(died.values("started_at")[:1]),
    )


def _make_recent_events(slot: Any) -> RecentEvents:
    failed_at, reason, detail = slot.failed_at, slot.failed_reason, slot.failed_detail or ""
    if slot.died_at and (failed_at is None or slot.died_at > failed_at):
        failed_at, reason, detail = slot.died_at, Interrupted.reason, ""
    done = slot.done_started_at
    return RecentEvents(
        slot=slot,
        in_flight=slot.running,
        last_photo_at=slot.photo_at,
        last_success_at=slot.done_at,
        last_failure_at=failed_at,
        last_failure_reason=reason,
        last_failure_detail=detail,
        has_recovered=bool(failed_at and done and done > failed_at),
    )
