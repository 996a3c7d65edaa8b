"""Reading the refusals: what the dashboard, the statistics, the list and the alerts show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum
from django.utils import timezone

from ingest.models import KnownBooth, Refusal
from ingest.refusals.causes import Cause, find_cause, get_title
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
    """Newest first, at most ``MAX_GROUPS``. Two queries.

    The name of a booth that told none, as behind a wrong link, is that of the booth which sends
    good photos from the same address.
    """
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
        )
        .order_by("-last")[:MAX_GROUPS]
    )
    found = list(grouped)
    booths = _load_booths({row["address"] for row in found} - {""})
    return [_make_group(row, booths.get(row["address"], [])) for row in found]


def load_recent_refusals(now: datetime | None = None) -> list[RefusalGroup]:
    """Of the last quarter of an hour: what is wrong now. Two queries."""
    return load_refusals((now or timezone.now()) - RECENT)


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


def _load_booths(addresses: Iterable[str]) -> dict[str, list[KnownBooth]]:
    found: dict[str, list[KnownBooth]] = {}
    for booth in KnownBooth.objects.filter(address__in=addresses).order_by("-last_at"):
        found.setdefault(booth.address, []).append(booth)
    return found


def _make_group(row: Mapping[str, Any], booths: list[KnownBooth]) -> RefusalGroup:
    name: str = row["booth_name"]
    same = [booth for booth in booths if not name or booth.name == name]
    return RefusalGroup(
        word=row["cause"],
        slot_asked=row["slot_asked"],
        address=row["address"],
        booth_name=name or (same[0].name if same else ""),
        booth_version=row["version"] or (same[0].version if same else ""),
        count=row["times"],
        first_at=row["first"],
        last_at=row["last"],
        waited_ms=row["waited"],
        is_over=bool(same) and same[0].last_at > row["last"],
    )
