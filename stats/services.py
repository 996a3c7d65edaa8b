"""The platform's figures for a window of time; the pages and the API show nothing else.

Every function here runs a fixed number of queries, whatever the tables hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar, cast
from urllib.parse import quote

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum

from ingest.models import Job
from ingest.refusals.queries import count_refusals
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import SlotNotFound
from slots.platform_settings import load_platform_settings
from stats.dashboard import Board, make_card
from stats.job_counter import count_all_jobs
from stats.now.assessment import Assessment, SlotNow, assess
from stats.outcomes import (
    BOOTH,
    Costs,
    Figures,
    Outcomes,
    Timings,
    cost_sums,
    count_photos,
    outcome_counts,
    timing_percentiles,
)
from stats.recent import RecentEvents, load_recent_events
from stats.series import MAX_STEPS, Failure, Point, load_last_failures, load_points, step_for
from stats.slot_state import State

MB = 1_000_000
WINDOW = timedelta(minutes=60)
MAX_WINDOW_MINUTES = 60 * 24 * 31
# The figures of a wide window cost the database 0.1 s at each refresh of a page, and do not
# change visibly in half a minute.
WIDE_WINDOW, CACHE_S = timedelta(days=1), 30

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFigures:
    recent: RecentEvents
    window: Figures
    now: SlotNow
    refused: int  # requests of booths within the window that became no photo

    @property
    def state(self) -> State:
        return self.now.state


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
    refused: int  # by all links together, also those that no slot has

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


def load_overview(
    window: timedelta = WINDOW,
    slot_id: str | None = None,
    *,
    is_lean: bool = False,
    until: datetime | None = None,
    event_id: int | None = None,
) -> Overview:
    """Twelve queries. Raises SlotNotFound when the slot to narrow ``slots`` to does not exist.

    The figures of a wide window may be ``CACHE_S`` old. ``is_lean``, for pages, leaves out the
    slowest parts: each slot's overhead and the storage. ``until``: the window's end, if not now.
    ``event_id``: only its photos.
    """
    now = clock.now()
    since = (until or now) - window
    events = load_recent_events(now)
    if slot_id is not None and slot_id not in {event.slot.pk for event in events}:
        raise SlotNotFound(slot_id[:40])
    jobs = _filter_window(since, until, event_id)
    load = partial(_load_figures, jobs, now, with_overhead=not is_lean)
    by_slot, timings = _load_cached(f"figures.{is_lean}.{event_id}", window, load, until=until)
    figures = [by_slot.get(event.slot.pk, Figures()) for event in events]
    assessed = _assess(events, now)
    refused = count_refusals(since, until)
    return Overview(
        window_minutes=_to_minutes(window),
        jobs_total=count_all_jobs(now),
        window=_add_figures(figures, timings),
        in_flight=sum(event.in_flight for event in events),
        storage=[] if is_lean else load_stored_files(),
        refused=sum(refused.values()),
        slots=[
            _make_slot_figures(event, one, assessed, refused)
            for event, one in zip(events, figures, strict=True)
            if slot_id in (None, event.slot.pk)
        ],
    )


def _load_figures(
    jobs: QuerySet[Job], now: datetime, *, with_overhead: bool
) -> tuple[dict[str, Figures], Timings]:
    by_slot = _load_figures_by_slot(jobs, now, with_overhead=with_overhead)
    return by_slot, Timings.of(jobs.aggregate(**timing_percentiles()))


def _add_figures(figures: list[Figures], timings: Timings) -> Figures:
    return Figures(
        outcomes=sum((one.outcomes for one in figures), start=Outcomes()),
        timings=timings,
        costs=sum((one.costs for one in figures), start=Costs()),
        test_runs=sum(one.test_runs for one in figures),
    )


def _make_slot_figures(
    event: RecentEvents, window: Figures, assessed: Assessment, refused: dict[str, int]
) -> SlotFigures:
    slot_id = event.slot.pk
    return SlotFigures(
        recent=event,
        window=window,
        now=assessed.by_slot[slot_id],
        refused=refused.get(slot_id, 0),
    )


def load_slot_statistics(slot_id: str, window: timedelta = WINDOW) -> SlotStatistics:
    """At most thirteen queries; a wide window may be ``CACHE_S`` old. Raises SlotNotFound."""
    now = clock.now()
    events = [event for event in load_recent_events(now) if event.slot.pk == slot_id]
    if not events:
        raise SlotNotFound(slot_id[:40])
    step = step_for(window)

    def load() -> tuple[Figures, list[Point]]:
        jobs = _filter_window(now - window, None).filter(slot=slot_id)
        figures = _load_figures_by_slot(jobs, now).get(slot_id, Figures())
        return figures, load_points(slot_id, now - window, now, step)

    figures, found = _load_cached(f"slot.{slot_id}", window, load)
    return SlotStatistics(
        window_minutes=_to_minutes(window),
        slot=_make_slot_figures(
            events[0], figures, _assess(events, now), count_refusals(now - window)
        ),
        step_seconds=step,
        points=found,
        failures=load_last_failures(slot_id, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    step_seconds: int
    points: list[Point]


def load_timeline(
    window: timedelta = WINDOW,
    slot_id: str | None = None,
    *,
    until: datetime | None = None,
    event_id: int | None = None,
) -> Timeline:
    """Outcomes and times per interval, of a slot or of all together, for plots. One query.

    A wide window has half as many intervals: a week by six hours, a month by days; and it may be
    ``CACHE_S`` old.
    """
    now = clock.now()
    step = step_for(window, MAX_STEPS if window <= WIDE_WINDOW else MAX_STEPS // 2 + 1)

    def load() -> Timeline:
        since = (until or now) - window
        found = load_points(
            slot_id, since, now, step, with_overhead=False, until=until, event_id=event_id
        )
        return Timeline(step_seconds=step, points=found)

    name = f"timeline.{quote(slot_id or '')}.{event_id}"
    return _load_cached(name, window, load, until=until)


def load_failures(slot_id: str | None = None, event_id: int | None = None) -> list[Failure]:
    """The last ones of a slot, of an event or of all, however old. Three queries."""
    return load_last_failures(slot_id, clock.now(), event_id)


def load_board() -> Board:
    """A card for every slot, by its last photos and refusals.

    Five queries; two more where a slot has a reserve.
    """
    now = clock.now()
    events = load_recent_events(now)
    found = _assess(events, now)
    return Board(
        cards=[make_card(event, found.by_slot[event.slot.pk]) for event in events],
        strays=found.strays,
    )


def _assess(events: list[RecentEvents], now: datetime) -> Assessment:
    """The current states, whatever the window. Three queries."""
    wait_s = load_platform_settings().sync_response_seconds
    return assess([event.slot for event in events], now, platform_wait_s=wait_s)


def _load_cached(
    name: str, window: timedelta, load: Callable[[], _Value], *, until: datetime | None = None
) -> _Value:
    """The result of ``load``; for a wide window cached for ``CACHE_S`` in this process."""
    if window <= WIDE_WINDOW:
        return load()
    key = f"stats.{name}.{_to_minutes(window)}.{until.timestamp() if until else ''}"
    if (found := cache.get(key)) is None:
        found = load()
        cache.set(key, found, CACHE_S)
    return cast(_Value, found)


def _to_minutes(window: timedelta) -> int:
    return int(window.total_seconds() // 60)


def _load_figures_by_slot(
    jobs: QuerySet[Job], now: datetime, *, with_overhead: bool = True
) -> dict[str, Figures]:
    rows = (
        jobs.order_by()
        .values("slot_id")
        .annotate(
            **outcome_counts(now),
            **timing_percentiles(with_overhead=with_overhead),
            **cost_sums(),
            test_runs=count_photos(~BOOTH),
        )
    )
    return {str(row["slot_id"]): Figures.of(row) for row in rows}


def _filter_window(
    since: datetime, until: datetime | None, event_id: int | None = None
) -> QuerySet[Job]:
    jobs = Job.objects.filter(started_at__gte=since)
    jobs = jobs if event_id is None else jobs.filter(event=event_id)
    return jobs.filter(started_at__lt=until) if until else jobs


def load_stored_files() -> list[StoredFiles]:
    """Files on the disk by kind, also expired ones not yet cleaned up."""
    rows = (
        MediaObject.objects.filter(cleaned_at__isnull=True)
        .values("kind")
        .annotate(files=Count("*"), size_bytes=Sum("size_bytes"))
        .order_by("kind")
    )
    return [StoredFiles(**row) for row in rows]
