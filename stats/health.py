"""`/healthz`: the state of each part, within a second, whatever hangs.

Nothing here holds a key or a provider's words.
"""

import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError

from ingest.cleanup import load_last_cleanup
from ingest.clocks import ODD_SKEW_S
from media import storage
from media.faces.loading import face_nets
from photochanger.db import clock
from photochanger.db.threads import in_db_apart
from photochanger.errors import ProviderConfig, StorageError
from photochanger.threads.probe import Probe
from providers.registry import DRIVERS
from slots.models import Setting, Slot
from slots.provider_keys import provider_row_key, read_provider_key
from slots.reserve.in_use import list_providers_by_key

log = structlog.get_logger()

BUDGET_S = 0.7  # of the second that a monitor gives us
PROVIDER_FRESH_S, OWN_FRESH_S = 30.0, 1.0
CLEANUP_LATE_S = 30 * 60  # cron runs it every 15 minutes
MIN_FREE_BYTES = 100 * 1024 * 1024  # for a handful of photos; with less they fail
LOW_FREE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """``is_needed``: without it no photo can be taken in. ``state`` is one word."""

    state: str
    is_ok: bool = False
    is_needed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.is_ok, "state": self.state, **self.facts}


@dataclass(frozen=True, slots=True)
class Health:
    parts: dict[str, Part]

    @property
    def is_ok(self) -> bool:
        return all(part.is_ok for part in self.parts.values())

    @property
    def is_up(self) -> bool:
        return all(part.is_ok for part in self.parts.values() if part.is_needed)

    def to_json(self) -> dict[str, Any]:
        status = "ok" if self.is_ok else "degraded" if self.is_up else "down"
        return {
            "status": status,
            "parts": {name: part.to_json() for name, part in self.parts.items()},
        }


@dataclass(frozen=True, slots=True)
class DatabaseResult:
    """What one connection to the database yields."""

    database: Part
    cleanup: Part
    keys: dict[str, str]  # of the providers of active slots and reserves; "" where there is none


@dataclass(slots=True)
class Probes:
    """The probes of one process."""

    database: Probe = field(
        default_factory=lambda: Probe(lambda: in_db_apart(check_database), OWN_FRESH_S)
    )
    media: Probe = field(
        default_factory=lambda: Probe(lambda: asyncio.to_thread(check_media), OWN_FRESH_S)
    )
    providers: dict[tuple[str, str], Probe] = field(default_factory=dict)

    def get_provider_probe(self, name: str, key: str) -> Probe:
        """A new key has a new probe, so it is checked at once."""
        if (name, key) not in self.providers:
            self.providers = {k: p for k, p in self.providers.items() if k[0] != name}
            self.providers[name, key] = Probe(lambda: check_provider(name, key), PROVIDER_FRESH_S)
        return self.providers[name, key]


# One per event loop: production has one loop, tests have many.
_probes_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Probes]" = WeakKeyDictionary()


async def check_health() -> Health:
    """The state of all parts, in less than a second."""
    loop = asyncio.get_running_loop()
    probes = _probes_by_loop.setdefault(loop, Probes())
    until = loop.time() + BUDGET_S
    database, media = await asyncio.gather(
        probes.database.get_result(until), probes.media.get_result(until)
    )
    parts = {
        "database": database.database if database else Part("slow", is_needed=True),
        "media": media or Part("slow", is_needed=True),
        "cleanup": database.cleanup if database else Part("unknown"),
        "clock": check_clock(),
        "faces": check_faces(),
    }
    keys = database.keys if database else {}
    by_provider = {name: probes.get_provider_probe(name, key) for name, key in keys.items()}
    found = await asyncio.gather(*(probe.get_result(until) for probe in by_provider.values()))
    for name, part in zip(by_provider, found, strict=True):
        parts[name] = part or Part("slow")
    return Health(parts)


def check_database() -> DatabaseResult:
    """Four queries. Raises nothing."""
    started = time.monotonic()
    try:
        cleanup, keys = _check_cleanup(), load_keys_in_use()
    except AnyDatabaseError as exc:
        log.error("health.database.failed", detail=type(exc).__name__)
        return DatabaseResult(Part("away", is_needed=True), Part("unknown"), {})
    took_ms = round((time.monotonic() - started) * 1000)
    return DatabaseResult(
        Part("up", True, is_needed=True, facts={"took_ms": took_ms}), cleanup, keys
    )


def _check_cleanup() -> Part:
    report = load_last_cleanup()
    if report is None:
        return Part("never")
    age_s = round((clock.now() - report.finished_at).total_seconds())
    facts = {"last_run_at": report.finished_at.isoformat(timespec="seconds"), "age_s": age_s}
    if age_s > CLEANUP_LATE_S:
        return Part("late", facts=facts)
    return Part("recent", True, facts=facts)


def load_keys_in_use() -> dict[str, str]:
    """Of the services of active slots and reserves; "" where there is none. Three queries."""
    used = list_providers_by_key(Slot.objects.filter(is_active=True))
    names = sorted(used & set(DRIVERS))
    rows = Setting.objects.filter(key__in=[provider_row_key(name) for name in names])
    stored = dict(rows.values_list("key", "value"))
    return {name: _get_key(name, stored.get(provider_row_key(name))) for name in names}


def _get_key(provider: str, stored: object) -> str:
    try:
        return read_provider_key(provider, stored)
    except ProviderConfig:  # encrypted with a key that we no longer have
        return ""


def check_clock() -> Part:
    """How far this machine's is from the database's. No photo needs it, logs and links do."""
    skew_s = clock.measure_skew_s()
    is_odd = abs(skew_s) >= ODD_SKEW_S
    return Part("wrong" if is_odd else "right", not is_odd, facts={"skew_s": round(skew_s, 3)})


def check_faces() -> Part:
    """Whether people can be counted. No photo needs that, so it is well either way."""
    if face_nets.are_files_there(settings.FACES_DIR) and not face_nets.is_absent(
        settings.FACES_DIR
    ):
        return Part("installed", True)
    return Part("absent", True, facts={"detail": "people are not counted"})


def check_media() -> Part:
    """Whether a file can be written; blocking, for as long as the disk hangs. Raises nothing."""
    try:
        return _check_disk() if storage.is_local() else _check_bucket()
    except (OSError, StorageError) as exc:
        log.error("health.media.failed", detail=str(exc))
        return Part("unwritable", is_needed=True)


def _check_disk() -> Part:
    with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
        file.write(b"healthz")
        file.flush()
    usage = shutil.disk_usage(settings.MEDIA_ROOT)
    share = usage.free / usage.total if usage.total else 0.0
    facts = {"free_bytes": usage.free, "free_share": round(share, 3)}
    if usage.free < MIN_FREE_BYTES:
        return Part("full", is_needed=True, facts=facts)
    return Part("low" if share < LOW_FREE_SHARE else "writable", True, True, facts)


def _check_bucket() -> Part:
    next(storage.iter_files("healthz/"), None)
    return Part("reachable", True, is_needed=True)


async def check_provider(name: str, key: str) -> Part:
    """By a call that costs nothing."""
    checked = await DRIVERS[name].check(key)
    facts = {} if checked.latency_ms is None else {"took_ms": checked.latency_ms}
    return Part(checked.reason or "reachable", checked.ok, facts=facts)
