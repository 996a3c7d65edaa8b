"""`/metrics`: the counters of all processes, and the state of the database and the disk."""

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db.models import Count
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ingest.cleanup import load_last_cleanup
from ingest.models import Job
from ingest.refusals.causes import BUSY, REFUSALS
from media import storage
from media.models import MediaObject
from photochanger import metrics
from photochanger.db import clock
from photochanger.db.threads import in_db_apart
from photochanger.errors import (
    ClientGone,
    InternalError,
    ProviderTimeout,
    StorageError,
)
from photochanger.threads.probe import Probe
from providers.registry import DRIVERS
from slots.model_retirement import find_retiring_slots
from slots.models import SLOT_IDS, Slot, SourceCircuit
from slots.platform_settings import load_platform_settings
from stats.outcomes import PROVIDER_REASONS, in_flight
from stats.services import load_stored_files

log = structlog.get_logger()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_S = 2.0  # how long one reading of database and disk serves all scrapes
BUDGET_S = 2.0  # that a scrape waits for it, of the 10 s that Prometheus gives
_state_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Probe]" = WeakKeyDictionary()


def initialize_counters() -> None:
    """Pre-create all label combinations so alerts see the first increase. Touches no database."""
    failures = [
        *PROVIDER_REASONS,
        BUSY,
        InternalError.reason,
        StorageError.reason,
        ClientGone.reason,
    ]
    ends = [("done", ""), ("timeout", ProviderTimeout.reason), *(("failed", r) for r in failures)]
    metrics.initialize_counters(
        slots=SLOT_IDS,
        outcomes={name: ends for name in DRIVERS},
        refusal_causes=REFUSALS,
    )


async def generate_exposition() -> bytes:
    """All metrics of all processes of this server; six queries at most.

    In time, whatever hangs: without the figures of a database or a disk that does not answer.
    """
    loop = asyncio.get_running_loop()
    state = _state_by_loop.setdefault(loop, Probe(lambda: in_db_apart(_generate_state), FRESH_S))
    found = await state.get_result(loop.time() + BUDGET_S)
    counters = await asyncio.to_thread(_generate_counters)
    return counters + (found or _generate(NoAnswer()))


def _generate_state() -> bytes:
    return _generate(STATE)


def _generate(collector: Collector) -> bytes:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def _generate_counters() -> bytes:
    if values.ValueClass is values.MutexValue:  # else photochanger.server.worker_metrics changed it
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)
    except ValueError as exc:  # their folder is gone; what this process reads itself is still shown
        log.error("stats.counters.failed", detail=str(exc))
    return generate_latest(registry)


class StateCollector:
    """Reads database and disk at most once in ``FRESH_S``, for all scrapes within it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self._read_at, self._metrics = -FRESH_S, list[Metric]()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._metrics = [*_collect_disk(), *_collect_database()]
                self._read_at = time.monotonic()
            return iter(self._metrics)


STATE = StateCollector()


class NoAnswer:
    """In place of the state while database or disk do not answer."""

    def collect(self) -> Iterator[Metric]:
        yield _make_database_up(is_up=False)


def make_labelled_gauge(name: str, words: str, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"photochanger_{name}", words, labels=labels)


def make_gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"photochanger_{name}", words, value=value)


def _collect_disk() -> Iterator[Metric]:
    """Size and free space of the pictures' disk; nothing where a bucket holds them."""
    if not storage.is_local():
        return
    try:
        usage = shutil.disk_usage(settings.MEDIA_ROOT)
    except OSError as exc:  # not mounted, say: /healthz reports it, and the series are missing
        log.error("stats.disk.failed", detail=exc.strerror)
        return
    yield make_gauge(
        "media_disk_size_bytes", "Size of the disk that holds the pictures.", usage.total
    )
    yield make_gauge("media_disk_free_bytes", "Free space on it for this server.", usage.free)


def _collect_database() -> Iterator[Metric]:
    """``database_up`` 0 while the database is unavailable; the counters are shown all the same."""
    try:
        slots = list(Slot.objects.all())
        found = [
            *_collect_slots(slots),
            *_collect_sources(slots),
            *_collect_media(),
            *_collect_cleanup(),
            *_collect_retirement(slots),
        ]
    except AnyDatabaseError as exc:
        log.error("stats.database.failed", detail=type(exc).__name__)
        found = []
    yield _make_database_up(is_up=bool(found))
    words = "How far this machine's clock is ahead of the database's."
    yield make_gauge("clock_skew_seconds", words, clock.measure_skew_s())
    yield from found


def _make_database_up(*, is_up: bool) -> Metric:
    return make_gauge("database_up", "Whether the database answered.", float(is_up))


def _collect_slots(slots: list[Slot]) -> Iterator[Metric]:
    active = make_labelled_gauge("slot_active", "1: the slot takes photos.", ("slot", "provider"))
    in_flight_now = make_labelled_gauge(
        "photos_in_flight", "Photos with a place now, of all servers.", ("slot",)
    )
    # The lab has its own share of the places, and takes none of a booth's.
    jobs = Job.objects.filter(in_flight(clock.now())).exclude(source=Job.Source.LAB).order_by()
    running = dict(jobs.values_list("slot_id").annotate(n=Count("*")))
    for slot in slots:
        active.add_metric([slot.pk, slot.provider], float(slot.is_active))
        in_flight_now.add_metric([slot.pk], running.get(slot.pk, 0))
    limit = make_labelled_gauge(
        "photos_in_flight_limit", "Places of one slot, of one provider.", ("of",)
    )
    platform = load_platform_settings()
    limit.add_metric(["slot"], platform.max_jobs_per_slot)
    limit.add_metric(["provider"], platform.max_jobs_per_provider)
    yield from (active, in_flight_now, limit)
    yield make_gauge(
        "sync_response_seconds",
        "How long a booth waits at most, where its slot says nothing else.",
        platform.sync_response_seconds,
    )


def _collect_sources(slots: list[Slot]) -> Iterator[Metric]:
    """Of slots with reserves: which sources photos are not sent to, and what was set by hand."""
    is_open = make_labelled_gauge(
        "source_circuit_open",
        "1: after failures no photos are sent to this source; 0 is the slot's own service.",
        ("slot", "position"),
    )
    for one in SourceCircuit.objects.filter(slot__is_active=True):
        is_open.add_metric([one.slot_id, str(one.position)], float(one.opened_at is not None))
    by_hand = make_labelled_gauge(
        "slot_on_reserve", "1: an operator has set the slot to its reserve.", ("slot",)
    )
    for slot in slots:
        by_hand.add_metric([slot.pk], float(slot.on_reserve))
    yield from (is_open, by_hand)


def _collect_media() -> Iterator[Metric]:
    size = make_labelled_gauge("media_bytes", "Stored files, also those that are over.", ("kind",))
    files = make_labelled_gauge("media_files", "Stored files, also those that are over.", ("kind",))
    by_kind = {stored.kind: stored for stored in load_stored_files()}
    for kind in MediaObject.Kind.values:
        stored = by_kind.get(kind)
        size.add_metric([kind], stored.size_bytes if stored else 0)
        files.add_metric([kind], stored.files if stored else 0)
    yield from (size, files)


def _collect_cleanup() -> Iterator[Metric]:
    """Of the last complete run. Counts are gauges: each run starts at 0."""
    report = load_last_cleanup()
    at = report.finished_at.timestamp() if report else 0
    yield make_gauge("cleanup_last_run_timestamp_seconds", "When cleanup last ended; 0: never.", at)
    if report is None:
        return
    removed = make_labelled_gauge("cleanup_last_removed_files", "Files it removed.", ("kind",))
    for kind, count in report.removed.items():
        removed.add_metric([kind], count)
    yield removed
    for name, words, value in (
        ("duration_seconds", "How long it took.", report.took_ms / 1000),
        ("freed_bytes", "What it freed.", report.freed_bytes),
        ("failures", "What it could not remove; the log names each.", report.failures),
        ("closed_photos", "Photos it closed that a dead server left open.", report.closed_jobs),
    ):
        yield make_gauge(f"cleanup_last_{name}", words, value)


def _collect_retirement(slots: list[Slot]) -> Iterator[Metric]:
    days = make_labelled_gauge(
        "model_retirement_days",
        "Days until the announced end of an active slot's model; none once the key outlives it.",
        ("slot", "model"),
    )
    active = [slot for slot in slots if slot.is_active]
    for found in find_retiring_slots(slots=active, within_days=None):
        if not found.is_outlived:
            days.add_metric([found.slot.pk, found.model_id], found.days)
    yield days
