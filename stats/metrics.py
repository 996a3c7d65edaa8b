"""`/metrics`: what the processes have counted, and what the database and the disk say now."""

import shutil
import threading
import time
from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.cleanup import last_cleanup
from ingest.models import Job
from media import storage
from media.models import MediaObject
from photochanger import metrics
from photochanger.errors import (
    ClientGone,
    InternalError,
    ProviderTimeout,
    StorageError,
)
from providers.registry import DRIVERS
from slots.model_retirement import retiring_slots
from slots.models import Slot
from slots.platform_settings import load_platform_settings
from stats.outcomes import PROVIDER_REASONS, in_flight
from stats.services import stored_files

log = structlog.get_logger()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_S = 2.0  # so long one look at the database serves, whoever asks


def prepare() -> None:
    """Let every series that an alert looks at begin with 0. Touches no database."""
    failures = [*PROVIDER_REASONS, InternalError.reason, StorageError.reason, ClientGone.reason]
    ends = [("done", ""), ("timeout", ProviderTimeout.reason), *(("failed", r) for r in failures)]
    metrics.prepare(
        slots=[f"slot-{number:03}" for number in range(1, 16)],  # as the migration made them
        outcomes={name: ends for name in DRIVERS},
    )


def exposition() -> bytes:
    """All of it, of all processes of this server. Blocking; five queries at most."""
    now = CollectorRegistry()
    now.register(LOOK)
    return _counted() + generate_latest(now)


def _counted() -> bytes:
    if not values.ValueClass._multiprocess:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    try:
        # Of gunicorn's workers: photochanger/server/worker_metrics.py.
        MultiProcessCollector(registry)
    except ValueError as exc:  # somebody took their folder away; what we see ourselves is told
        log.error("stats.counters.failed", detail=str(exc))
    return generate_latest(registry)


class Look:
    """A collector: one look at database and disk, shared by all who ask within ``FRESH_S``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._at, self._seen = -FRESH_S, list[Metric]()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._at >= FRESH_S:
                self._seen = [*disk(), *database()]
                self._at = time.monotonic()
            return iter(self._seen)


LOOK = Look()


def gauge(name: str, words: str, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"photochanger_{name}", words, labels=labels)


def one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"photochanger_{name}", words, value=value)


def disk() -> Iterator[Metric]:
    """Of the folder of pictures; nothing where a bucket holds them."""
    if not storage.is_local():
        return
    try:
        usage = shutil.disk_usage(settings.MEDIA_ROOT)
    except OSError as exc:  # it is not mounted, say: /healthz tells, and the series are missing
        log.error("stats.disk.failed", detail=exc.strerror)
        return
    yield one("media_disk_size_bytes", "Size of the disk that holds the pictures.", usage.total)
    yield one("media_disk_free_bytes", "What is free of it for us.", usage.free)


def database() -> Iterator[Metric]:
    """A database that is away is told too, and the figures of the processes with it."""
    try:
        slots = list(Slot.objects.all())
        seen = [*_slots(slots), *_media(), *_cleanup(), *_retirement(slots)]
    except AnyDatabaseError as exc:
        log.error("stats.database.failed", detail=type(exc).__name__)
        seen = []
    yield one("database_up", "Whether the database answered this look.", float(bool(seen)))
    yield from seen


def _slots(slots: list[Slot]) -> Iterator[Metric]:
    active = gauge("slot_active", "1: the slot takes photos.", ("slot", "provider"))
    flying = gauge("photos_in_flight", "Photos with a place now, of all servers.", ("slot",))
    jobs = Job.objects.filter(in_flight(timezone.now())).order_by()
    running = dict(jobs.values_list("slot_id").annotate(n=Count("*")))
    for slot in slots:
        active.add_metric([slot.pk, slot.provider], float(slot.is_active))
        flying.add_metric([slot.pk], running.get(slot.pk, 0))
    limit = gauge("photos_in_flight_limit", "Places of one slot, of one provider.", ("of",))
    platform = load_platform_settings()
    limit.add_metric(["slot"], platform.max_jobs_per_slot)
    limit.add_metric(["provider"], platform.max_jobs_per_provider)
    yield from (active, flying, limit)
    yield one(
        "sync_response_seconds",
        "How long a booth waits at most, where its slot says nothing else.",
        platform.sync_response_seconds,
    )


def _media() -> Iterator[Metric]:
    size = gauge("media_bytes", "Stored files, also those that are over.", ("kind",))
    files = gauge("media_files", "Stored files, also those that are over.", ("kind",))
    there = {stored.kind: stored for stored in stored_files()}
    for kind in MediaObject.Kind.values:
        stored = there.get(kind)
        size.add_metric([kind], stored.size_bytes if stored else 0)
        files.add_metric([kind], stored.files if stored else 0)
    yield from (size, files)


def _cleanup() -> Iterator[Metric]:
    """Of the last whole run. Counts are gauges: each run begins with none."""
    report = last_cleanup()
    at = report.finished_at.timestamp() if report else 0
    yield one("cleanup_last_run_timestamp_seconds", "When cleanup last ended; 0: never.", at)
    if report is None:
        return
    removed = gauge("cleanup_last_removed_files", "Files it removed.", ("kind",))
    for kind, count in report.removed.items():
        removed.add_metric([kind], count)
    yield removed
    for name, words, value in (
        ("duration_seconds", "How long it took.", report.took_ms / 1000),
        ("freed_bytes", "What it freed.", report.freed_bytes),
        ("failures", "What it could not remove; the log names each.", report.failures),
        ("closed_photos", "Photos it closed that a dead server left open.", report.closed_jobs),
    ):
        yield one(f"cleanup_last_{name}", words, value)


def _retirement(slots: list[Slot]) -> Iterator[Metric]:
    days = gauge(
        "model_retirement_days",
        "Days until the model of an active slot is switched off; negative: it was.",
        ("slot", "model"),
    )
    active = [slot for slot in slots if slot.is_active]
    for found in retiring_slots(slots=active, within_days=None):
        days.add_metric([found.slot.pk, found.model_id], found.days)
    yield days
