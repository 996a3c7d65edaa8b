"""Reading the refusals: what the dashboard, the statistics, the list and the alerts show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum

from ingest.models import Refusal
from ingest.refusals.causes import Cause, find_cause, get_title
from photochanger.db import clock
from photochanger.errors import Text
from slots.models import SLOT_IDS

RECENT = timedelta(minutes=15)  # how long a refusal says something about now
MAX_GROUPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalGroup:
    """Refusals of one cause, link, address and booth within a time, counted."""

    word: str  # the cause's
    slot_asked: str
    address: str
    booth_name: str
    booth_version: str
    count: int
    first_at: datetime
    last_at: datetime
    waited_ms: int | None
    is_over: bool  # the same booth has sent a photo that was all right since

    @property
    def cause(self) -> Cause:
        return find_cause(self.word)

    @property
    def title(self) -> Text:
        return get_title(self.word)

    @property
    def is_of_slot(self) -> bool:
        return self.slot_asked in SLOT_IDS

    @property
    def who(self) -> str:
        """The booth by its name, or else by its address; empty for many together."""
        return self.booth_name or self.address

    @property
    def waited_s(self) -> float | None:
        return None if self.waited_ms is None else round(self.waited_ms / 1000, 1)


def load_refusals(
    since: datetime, *, slot_id: str | None = None, until: datetime | None = None
) -> list[RefusalGroup]:
    """Newest first, at most ``MAX_GROUPS``. One query."""
    rows = select_refusals(since, slot_id=slot_id, until=until)
    grouped = (
        rows.order_by()
        .values("cause", "slot_asked", "address", "booth_name")
        .annotate(
            times=Sum("count"),
            first=Min("first_at"),
            last=Max("last_at"),
            version=Max("booth_version"),
            waited=Max("waited_ms"),
            over=Max("over_at"),
        )
        .order_by("-last")[:MAX_GROUPS]
    )
    return [_make_group(row) for row in grouped]


def load_recent_refusals(now: datetime | None = None) -> list[RefusalGroup]:
    """Of the last quarter of an hour: what is wrong now. One query."""
    return load_refusals((now or clock.now()) - RECENT)


def select_refusals(
    since: datetime, *, slot_id: str | None = None, until: datetime | None = None
) -> QuerySet[Refusal]:
    rows = Refusal.objects.filter(last_at__gte=since)
    if until is not None:
        rows = rows.filter(first_at__lt=until)
    return rows.filter(slot_asked=slot_id) if slot_id else rows


def count_refusals(since: datetime, until: datetime | None = None) -> dict[str, int]:
    """How often each slot refused; under "" what was sent to other links. One query."""
    rows = select_refusals(since, until=until).order_by().values("slot_asked")
    counts: dict[str, int] = {}
    for slot, times in rows.annotate(times=Sum("count")).values_list("slot_asked", "times"):
        known = slot if slot in SLOT_IDS else ""
        counts[known] = counts.get(known, 0) + times
    return counts


def _make_group(row: Mapping[str, Any]) -> RefusalGroup:
    over_at: datetime | None = row["over"]
    return RefusalGroup(
        word=row["cause"],
        slot_asked=row["slot_asked"],
        address=row["address"],
        booth_name=row["booth_name"],
        booth_version=row["version"],
        count=row["times"],
        first_at=row["first"],
        last_at=row["last"],
        waited_ms=row["waited"],
        is_over=over_at is not None and over_at > row["last"],
    )
