"""`/healthz`: how each part is, within a second, whatever hangs.

Each part is looked at by one probe per process, which keeps what it found for a while. Who asks
waits for a probe that runs, and for no longer than the budget; a probe that hangs goes on by
itself, and is never started a second time meanwhile. Nothing here holds a key or a provider's
words.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from ingest.cleanup import last_cleanup
from media import storage
from photochanger.db import in_db
from photochanger.errors import ProviderConfig, StorageError
from providers.registry import DRIVERS
from slots.models import Setting, Slot
from slots.provider_keys import provider_row_key, read_provider_key

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

    def told(self) -> dict[str, Any]:
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

    def told(self) -> dict[str, Any]:
        status = "ok" if self.is_ok else "degraded" if self.is_up else "down"
        return {
            "status": status,
            "parts": {name: part.told() for name, part in self.parts.items()},
        }


@dataclass(slots=True)
class Probe:
    """Looks at one part, at most once at a time; what it found is good for ``fresh_s``."""

    look: Callable[[], Awaitable[Any]]
    fresh_s: float
    found: Any = None
    found_at: float = 0.0
    running: "asyncio.Task[None] | None" = None

    async def ask(self, until: float) -> Any:
        """What it found, None when it finds nothing by ``until`` (the event loop's time)."""
        loop = asyncio.get_running_loop()
        if self.found is not None and loop.time() - self.found_at < self.fresh_s:
            return self.found
        if self.running is None:
            self.running = loop.create_task(self._run())
        await asyncio.wait({self.running}, timeout=max(0.0, until - loop.time()))
        is_fresh = self.found is not None and loop.time() - self.found_at < 2 * self.fresh_s
        return self.found if is_fresh else None

    async def _run(self) -> None:
        try:
            self.found = await self.look()
            self.found_at = asyncio.get_running_loop().time()
        except Exception:  # a bug in a look must not stop the others; nobody awaits this task
            log.exception("health.probe.broke")
        finally:
            self.running = None


@dataclass(frozen=True, slots=True)
class Own:
    """What one trip to the database says."""

    database: Part
    cleanup: Part
    keys: dict[str, str]  # of the providers of active slots; "" where there is none


@dataclass(slots=True)
class Board:
    """The probes of one process."""

    own: Probe = field(default_factory=lambda: Probe(lambda: in_db(look_at_own), OWN_FRESH_S))
    media: Probe = field(
        default_factory=lambda: Probe(lambda: asyncio.to_thread(look_at_media), OWN_FRESH_S)
    )
    providers: dict[tuple[str, str], Probe] = field(default_factory=dict)

    def of_provider(self, name: str, key: str) -> Probe:
        """A new key is looked at at once."""
        if (name, key) not in self.providers:
            self.providers = {k: p for k, p in self.providers.items() if k[0] != name}
            self.providers[name, key] = Probe(lambda: look_at_provider(name, key), PROVIDER_FRESH_S)
        return self.providers[name, key]


# One per event loop: production has one loop, tests have many.
_boards: "WeakKeyDictionary[asyncio.AbstractEventLoop, Board]" = WeakKeyDictionary()


async def report() -> Health:
    """How everything is, in less than a second."""
    loop = asyncio.get_running_loop()
    board = _boards.setdefault(loop, Board())
    until = loop.time() + BUDGET_S
    own, media = await asyncio.gather(board.own.ask(until), board.media.ask(until))
    parts = {
        "database": own.database if own else Part("slow", is_needed=True),
        "media": media or Part("slow", is_needed=True),
        "cleanup": own.cleanup if own else Part("unknown"),
    }
    keys = own.keys if own else {}
    probes = {name: board.of_provider(name, key) for name, key in keys.items()}
    found = await asyncio.gather(*(probe.ask(until) for probe in probes.values()))
    for name, part in zip(probes, found, strict=True):
        parts[name] = part or Part("slow")
    return Health(parts)


# --- The looks -----------------------------------------------------------------------------------
def look_at_own() -> Own:
    """Three queries. Raises nothing."""
    started = time.monotonic()
    try:
        cleanup, keys = _cleanup(), _keys()
    except AnyDatabaseError as exc:
        log.error("health.database.failed", detail=type(exc).__name__)
        return Own(Part("away", is_needed=True), Part("unknown"), {})
    took_ms = round((time.monotonic() - started) * 1000)
    return Own(Part("up", True, is_needed=True, facts={"took_ms": took_ms}), cleanup, keys)


def _cleanup() -> Part:
    report = last_cleanup()
    if report is None:
        return Part("never")
    age_s = round((timezone.now() - report.finished_at).total_seconds())
    facts = {"last_run_at": report.finished_at.isoformat(timespec="seconds"), "age_s": age_s}
    if age_s > CLEANUP_LATE_S:
        return Part("late", facts=facts)
    return Part("recent", True, facts=facts)


def _keys() -> dict[str, str]:
    used = set(Slot.objects.filter(is_active=True).values_list("provider", flat=True))
    names = sorted(used & set(DRIVERS))
    rows = Setting.objects.filter(key__in=[provider_row_key(name) for name in names])
    stored = dict(rows.values_list("key", "value"))
    return {name: _key(name, stored.get(provider_row_key(name))) for name in names}


def _key(provider: str, stored: object) -> str:
    try:
        return read_provider_key(provider, stored)
    except ProviderConfig:  # encrypted with a key that we no longer have
        return ""


def look_at_media() -> Part:
    """Whether a file can be written; blocking, for as long as the disk hangs. Raises nothing."""
    try:
        return _disk() if storage.is_local() else _bucket()
    except (OSError, StorageError) as exc:
        log.error("health.media.failed", detail=str(exc))
        return Part("unwritable", is_needed=True)


def _disk() -> Part:
    with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
        file.write(b"healthz")
        file.flush()
    usage = shutil.disk_usage(settings.MEDIA_ROOT)
    share = usage.free / usage.total if usage.total else 0.0
    facts = {"free_bytes": usage.free, "free_share": round(share, 3)}
    if usage.free < MIN_FREE_BYTES:
        return Part("full", is_needed=True, facts=facts)
    return Part("low" if share < LOW_FREE_SHARE else "writable", True, True, facts)


def _bucket() -> Part:
    next(storage.iter_files("healthz/"), None)
    return Part("reachable", True, is_needed=True)


async def look_at_provider(name: str, key: str) -> Part:
    """By a call that costs nothing."""
    checked = await DRIVERS[name].check(key)
    facts = {} if checked.latency_ms is None else {"took_ms": checked.latency_ms}
    return Part(checked.reason or "reachable", checked.ok, facts=facts)
