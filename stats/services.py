"""The platform's figures for a window of time; the pages and the API show nothing else.

Every function here runs a fixed number of queries, whatever the tables hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import quote

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.utils import timezone

from ingest.models import Job
from media.models import MediaObject
from photochanger.errors import SlotNotFound
from slots.platform_settings import load_platform_settings
from stats.dashboard import SlotCard, cards
from stats.job_counter import jobs_total
from stats.outcomes import (
    Outcomes,
    Timings,
    outcome_counts,
    outcomes_of,
    photos,
    timing_percentiles,
)
from stats.recent import Lately, lately
from stats.series import MAX_STEPS, Failure, Point, last_failures, points, step_for
from stats.slot_state import State, medians, state_of

MB = 1_000_000
WINDOW = timedelta(minutes=60)
MAX_WINDOW_MINUTES = 60 * 24 * 31
# A wide window takes the database a tenth of a second, again and again while somebody looks, and
# half a minute changes nothing in it that an eye would see.
WIDE, KEPT_S = timedelta(days=1), 30

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one window; by the photo's first byte."""

    outcomes: Outcomes = Outcomes()
    timings: Timings = Timings()
    test_runs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFigures:
    lately: Lately
    window: Figures
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFiles:
    kind: str
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """``window`` and the totals are of the whole platform, also when one slot was asked for."""

    window_minutes: int
    jobs_total: int
    window: Figures
    in_flight: int
    storage: list[StoredFiles]
    slots: list[SlotFigures]

    @property
    def storage_bytes(self) -> int:
        return sum(stored.size_bytes for stored in self.storage)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStatistics:
    window_minutes: int
    slot: SlotFigures
    step_seconds: int
    points: list[Point]
    failures: list[Failure]


def overview(
    window: timedelta = WINDOW, slot_id: str | None = None, *, is_lean: bool = False
) -> Overview:
    """Eight queries. Raises SlotNotFound when the slot to narrow ``slots`` to does not exist.

    The figures of a wide window may be ``KEPT_S`` old. ``is_lean``, for pages: without what takes
    longest, each slot's overhead and the storage.
    """
    now = timezone.now()
    events = lately(now)
    if slot_id is not None and slot_id not in {event.slot.pk for event in events}:
        raise SlotNotFound(slot_id[:40])

    def look() -> tuple[dict[str, Figures], Timings]:
        by_slot = _figures_by_slot(now - window, now, with_overhead=not is_lean)
        return by_slot, _timings(now - window)

    by_slot, timings = _kept(f"figures.{is_lean}", window, look)
    figures = [by_slot.get(event.slot.pk, Figures()) for event in events]
    states = _states(events, now)
    return Overview(
        window_minutes=_minutes(window),
        jobs_total=jobs_total(now),
        window=Figures(
            outcomes=sum((one.outcomes for one in figures), start=Outcomes()),
            timings=timings,
            test_runs=sum(one.test_runs for one in figures),
        ),
        in_flight=sum(event.in_flight for event in events),
        storage=[] if is_lean else stored_files(),
        slots=[
            SlotFigures(lately=event, window=one, state=states[event.slot.pk])
            for event, one in zip(events, figures, strict=True)
            if slot_id in (None, event.slot.pk)
        ],
    )


def slot_statistics(slot_id: str, window: timedelta = WINDOW) -> SlotStatistics:
    """At most eight queries; a wide window may be ``KEPT_S`` old. Raises SlotNotFound."""
    now = timezone.now()
    events = [event for event in lately(now) if event.slot.pk == slot_id]
    if not events:
        raise SlotNotFound(slot_id[:40])
    step = step_for(window)

    def look() -> tuple[Figures, list[Point]]:
        figures = _figures_by_slot(now - window, now, slot_id).get(slot_id, Figures())
        return figures, points(slot_id, now - window, now, step)

    figures, found = _kept(f"slot.{slot_id}", window, look)
    return SlotStatistics(
        window_minutes=_minutes(window),
        slot=SlotFigures(lately=events[0], window=figures, state=_states(events, now)[slot_id]),
        step_seconds=step,
        points=found,
        failures=last_failures(slot_id, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    step_seconds: int
    points: list[Point]


def timeline(window: timedelta = WINDOW, slot_id: str | None = None) -> Timeline:
    """Outcomes and times per interval, of a slot or of all together, for plots. One query.

    A wide window has half as many intervals: a week by six hours, a month by days; and it may be
    ``KEPT_S`` old.
    """
    now = timezone.now()
    step = step_for(window, MAX_STEPS if window <= WIDE else MAX_STEPS // 2 + 1)

    def look() -> Timeline:
        found = points(slot_id, now - window, now, step, with_overhead=False)
        return Timeline(step_seconds=step, points=found)

    return _kept(f"timeline.{quote(slot_id or '')}", window, look)


def failures(slot_id: str | None = None) -> list[Failure]:
    """The last ones of a slot or of all, however old. Three queries."""
    return last_failures(slot_id, timezone.now())


def dashboard() -> list[SlotCard]:
    """Every slot at a glance, as of the last hour. Three queries."""
    now = timezone.now()
    return cards(lately(now), now, load_platform_settings().sync_response_seconds)


def _kept(name: str, window: timedelta, look: Callable[[], _Found]) -> _Found:
    """What ``look`` finds; of a wide window, what it found a moment ago in this process."""
    if window <= WIDE:
        return look()
    key = f"stats.{name}.{_minutes(window)}"
    if (found := cache.get(key)) is None:
        found = look()
        cache.set(key, found, KEPT_S)
    return cast(_Found, found)


def _minutes(window: timedelta) -> int:
    return int(window.total_seconds() // 60)


def _states(events: list[Lately], now: datetime) -> dict[str, State]:
    """Of now, whatever the window. Two queries."""
    wait_seconds, took = load_platform_settings().sync_response_seconds, medians(now)
    return {
        event.slot.pk: state_of(
            event,
            median_ms=took.get(event.slot.pk),
            now=now,
            platform_wait_seconds=wait_seconds,
        )
        for event in events
    }


def _figures_by_slot(
    since: datetime, now: datetime, slot_id: str | None = None, *, with_overhead: bool = True
) -> dict[str, Figures]:
    jobs = Job.objects.filter(started_at__gte=since).order_by()
    if slot_id:
        jobs = jobs.filter(slot=slot_id)
    rows = jobs.values("slot_id").annotate(
        **outcome_counts(now),
        **timing_percentiles(with_overhead=with_overhead),
        test_runs=photos(Q(source=Job.Source.UI_TEST)),
    )
    return {str(row["slot_id"]): _figures(row) for row in rows}


def _figures(row: Mapping[str, Any]) -> Figures:
    return Figures(outcomes=outcomes_of(row), timings=Timings.of(row), test_runs=row["test_runs"])


def _timings(since: datetime) -> Timings:
    """Of all slots together: percentiles of parts do not add up."""
    return Timings.of(Job.objects.filter(started_at__gte=since).aggregate(**timing_percentiles()))


def stored_files() -> list[StoredFiles]:
    """What is on the disk, also what is over and not yet cleaned up."""
    rows = (
        MediaObject.objects.filter(cleaned_at__isnull=True)
        .values("kind")
        .annotate(files=Count("*"), size_bytes=Sum("size_bytes"))
        .order_by("kind")
    )
    return [StoredFiles(**row) for row in rows]
