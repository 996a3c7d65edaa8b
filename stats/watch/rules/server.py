"""Rules on this server: disk, cleanup, clock, models that end. They change slowly."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from ingest.cleanup import load_last_cleanup
from ingest.clocks import ODD_SKEW_S, load_skews
from media import storage
from media.models import MediaObject
from slots.model_retirement import find_retiring_slots
from slots.models import Slot
from stats.health import check_media
from stats.models import Severity
from stats.watch.findings import Finding

LITTLE_BYTES, LOW_BYTES = 500 * 1024**2, 2 * 1024**3
CLEANUP_LATE = timedelta(hours=2)  # cron runs it every 15 minutes
EXPIRED_FOR = timedelta(hours=1)
ODD_CLOCK_S, WRONG_CLOCK_S = 10.0, 60.0  # HTTP dates have whole seconds


def find_on_server(slots: list[Slot], skews_s: list[float], now: datetime) -> list[Finding]:
    """A few queries. The disk is asked apart: it may hang."""
    return [
        *_find_cleanup_trouble(now),
        *_find_ending_models(slots),
        *_find_wrong_clock(skews_s, load_skews()),
    ]


def find_disk_trouble() -> Iterator[Finding]:
    """Blocking, for as long as the disk hangs. No query."""
    part = check_media()
    if part.state in ("unwritable", "full"):
        yield _make_disk_finding(Severity.CRITICAL, part.facts.get("free_bytes"))
        return
    if not storage.is_local():
        return
    try:
        free = shutil.disk_usage(settings.MEDIA_ROOT).free
    except OSError:
        return  # told above, or it is gone since
    if free < LOW_BYTES:
        severity = Severity.CRITICAL if free < LITTLE_BYTES else Severity.WARNING
        yield _make_disk_finding(severity, free)


def _make_disk_finding(severity: Severity, free_bytes: int | None) -> Finding:
    # In steps, so that the row is not written anew with every photo.
    free_mb = None if free_bytes is None else free_bytes // 1024**2 // 50 * 50
    return Finding(rule="disk", severity=severity, facts={"free_mb": free_mb})


def _find_cleanup_trouble(now: datetime) -> Iterator[Finding]:
    """Only where something waits to be deleted: an installation of an hour has nothing."""
    report = load_last_cleanup()
    if report and report.failures:
        facts = {"failures": report.failures, "at": report.finished_at.isoformat()}
        yield Finding(rule="cleanup", severity=Severity.WARNING, facts=facts)
        return
    if report and now - report.finished_at <= CLEANUP_LATE:
        return
    outdated = MediaObject.objects.filter(cleaned_at__isnull=True, expires_at__lt=now - EXPIRED_FOR)
    if outdated.exists():
        facts = {"at": report.finished_at.isoformat() if report else None}
        yield Finding(rule="cleanup", severity=Severity.WARNING, facts=facts)


def _find_ending_models(slots: list[Slot]) -> Iterator[Finding]:
    found: dict[str, Finding] = {}
    for one in find_retiring_slots(slots=slots):
        known = found.get(one.model_id)
        slot_ids = [*(known.facts["slots"] if known else []), one.slot.pk]
        found[one.model_id] = Finding(
            rule="model_ending",
            subject=one.model_id,
            severity=Severity.CRITICAL if one.is_retired else Severity.WARNING,
            facts={"model": one.model, "on": one.retires_on.isoformat(), "slots": slot_ids},
        )
    yield from found.values()


def _find_wrong_clock(skews_s: list[float], of_machines: dict[str, float]) -> Iterator[Finding]:
    """``skews_s`` are those that services tell; ``of_machines`` are against the database."""
    odd = [one for one in skews_s if abs(one) >= ODD_CLOCK_S]
    odd += [one for one in of_machines.values() if abs(one) >= ODD_SKEW_S]
    if not odd:
        return
    worst = abs(max(odd, key=abs))
    severity = Severity.CRITICAL if worst >= WRONG_CLOCK_S else Severity.WARNING
    # In steps, so that the row is not written anew each time.
    facts = {"seconds": round(worst, -1 if worst >= ODD_CLOCK_S else 0)}
    yield Finding(rule="clock", severity=severity, facts=facts)
