"""Checks of this server: slots, password, address, disk, storage, clock, cleanup."""

import uuid
from datetime import timedelta
from pathlib import Path
from shutil import disk_usage
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.db.models import prefetch_related_objects
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from ingest.cleanup import load_last_cleanup
from ingest.clocks import ODD_SKEW_S, load_skews
from ingest.pipeline.input_links import find_public_base, is_private
from ingest.readiness.result import (
    FAIL,
    OK,
    WARN,
    CheckResult,
    format_moment,
    list_active_slots,
    list_used_providers,
)
from ingest.readiness.services import check_provider
from media import storage
from media.links import find_own_base
from media.reach import Reach, judge_address
from photochanger.db import clock
from photochanger.errors import ProviderConfig, ProviderError, StorageError
from providers import http
from providers.registry import DRIVERS
from slots.gallery.modes import find_gallery_mode
from slots.models import Slot
from slots.passwords import get_password_hash
from slots.platform_settings import load_platform_settings
from slots.services import is_complete

GB = 1024**3
LITTLE_BYTES, LOW_BYTES = GB // 10, 2 * GB
PHOTO_BYTES = 3 * 1024 * 1024  # a result and its preview, about
WRONG_CLOCK_S, ODD_CLOCK_S = 60, 5  # Date headers have whole seconds, and take a moment to come
CLEANUP_LATE = timedelta(minutes=30)  # cron runs it every 15 minutes
REACH_TIMEOUT_S = 5.0


def check_slots() -> CheckResult:
    slots = list_active_slots()
    prefetch_related_objects(slots, "template_media")
    if not slots:
        to_do = _("Switch on the slots of the event.")
        return CheckResult(FAIL, _("No slot is switched on: every photo is refused."), to_do)
    broken = [slot.pk for slot in slots if not is_complete(slot)]
    if broken:
        words = _("Not set up completely: %(slots)s.") % {"slots": ", ".join(broken)}
        return CheckResult(FAIL, words, _("Open the slot and fill in what is marked."))
    return CheckResult(OK, _("Switched on: %(slots)s.") % {"slots": ", ".join(s.pk for s in slots)})


def check_password() -> CheckResult:
    platform = load_platform_settings()
    closed = [slot.pk for slot in list_active_slots() if not get_password_hash(slot, platform)]
    if closed:
        words = _("No booth password is set: every photo is refused.")
        return CheckResult(FAIL, words, _("Set it in the settings and type it into the booth."))
    return CheckResult(
        OK, _("A booth password is set. Only the booth can show whether it has it too.")
    )


def check_galleries() -> CheckResult:
    """Who sees the guests' faces is the operator's choice; nobody else may make it."""
    platform = load_platform_settings()
    slots: dict[str, list[str]] = {mode: [] for mode in Slot.GalleryMode}
    for slot in list_active_slots():
        slots[find_gallery_mode(slot, platform)].append(slot.pk)
    sentences = {
        "open": _("Everybody who guesses the gallery's link sees all faces of %(slots)s."),
        "secret": _("Only who has the secret link or its QR code sees the gallery of %(slots)s."),
        "closed": _("Only each guest sees the own picture: the gallery of %(slots)s is closed."),
    }
    lines = [sentences[mode] % {"slots": ", ".join(ids)} for mode, ids in slots.items() if ids]
    to_do = _("Ask the customer which of the three they want, and choose it on the slot's page.")
    return CheckResult(OK, " ".join([*lines, to_do]))


def check_address() -> CheckResult:
    """The address at which guests and services reach this server."""
    fetching = [name for name in list_used_providers() if DRIVERS[name].requires_public_media]
    try:
        for name in fetching:
            find_public_base(name)
    except ProviderConfig:
        words = _("%(provider)s fetches photos from this server, and has no address to do it.")
        to_do = _("Set PUBLIC_MEDIA_BASE_URL in .env and start the server anew.")
        return CheckResult(FAIL, words % {"provider": DRIVERS[name].title}, to_do)
    base = settings.PUBLIC_BASE_URL or (settings.PUBLIC_MEDIA_BASE_URL if fetching else "")
    to_do = _("Set PUBLIC_BASE_URL in .env and start the server anew.")
    if not base:
        return _explain_missing_address(to_do)
    if judge_address(base) == Reach.MACHINE:
        words = _("%(address)s opens on the server itself only: no phone gets anywhere.")
        return CheckResult(FAIL, words % {"address": base}, to_do)
    if is_private(urlsplit(base).hostname or ""):
        words = _("%(address)s opens in this network only: guests elsewhere see nothing.")
        return CheckResult(WARN, words % {"address": base}, to_do)
    return _check_reachability(base)


def _explain_missing_address(to_do: str) -> CheckResult:
    if own := find_own_base():
        words = _(
            "No public address is set: links carry the address of whoever asks, or %(own)s in this "
            "network."
        )
        return CheckResult(WARN, words % {"own": own}, to_do)
    words = _("No public address is set: links for guests carry the address of whoever asks.")
    return CheckResult(WARN, words, to_do)


def _check_reachability(base: str) -> CheckResult:
    """Request our own /livez through the public address, as far as a server can from inside."""
    to_do = _("Open it on a phone without Wi-Fi. If it opens there, all is well.")
    words = _("%(address)s does not lead back to this server, or not from here.")
    try:
        reply = async_to_sync(http.get)(
            f"{base}/livez", max_bytes=64 * 1024, timeout_s=REACH_TIMEOUT_S
        )
    except ProviderError:
        return CheckResult(WARN, words % {"address": base}, to_do)
    if (reply.status, reply.body) != (200, b"ok"):
        return CheckResult(WARN, words % {"address": base}, to_do)
    if not base.startswith("https://"):
        words = _("%(address)s opens, but without https: some phones and services refuse it.")
        return CheckResult(WARN, words % {"address": base}, _("Put https in front of the server."))
    return CheckResult(OK, _("%(address)s leads to this server.") % {"address": base})


def check_disk() -> CheckResult:
    if not storage.is_local():
        return CheckResult(
            OK, _("Pictures are kept in a bucket; its room is its provider's matter.")
        )
    free = disk_usage(_find_existing_parent(settings.MEDIA_ROOT)).free
    room = {"size": filesizeformat(free), "count": free // PHOTO_BYTES}
    words = _("%(size)s are free: room for about %(count)s photos.") % room
    to_do = _("Clean the media cache in the settings, or give the server more room.")
    if free < LITTLE_BYTES:
        return CheckResult(FAIL, words, to_do)
    return CheckResult(WARN, words, to_do) if free < LOW_BYTES else CheckResult(OK, words)


def _find_existing_parent(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def check_storage() -> CheckResult:
    """Write a file, read it, remove it."""
    path, body = f"checks/{uuid.uuid4()}.txt", b"ready?"
    try:
        storage.write(path, body)
        is_same = storage.read(path) == body
        storage.remove(path)
    except (OSError, StorageError) as exc:
        words = _("Pictures cannot be stored: %(detail)s.") % {"detail": str(exc)[:200]}
        return CheckResult(FAIL, words, _("Tell whoever runs the server: its disk needs a look."))
    if not is_same:
        words = _("What was stored came back changed.")
        return CheckResult(FAIL, words, _("Tell whoever runs the server: its disk needs a look."))
    return CheckResult(OK, _("A file was stored, read and removed."))


def check_clock() -> CheckResult:
    """Compare the clocks of all our machines with the database's, and ours with the services'.

    Dates in HTTP headers have whole seconds, so a second's difference says nothing.
    """
    ahead = [check_provider(name).clock_skew_s for name in list_used_providers()]
    offsets_s = [seconds for seconds in ahead if seconds is not None]
    between_us = max(load_skews().values(), key=abs, default=0.0)  # machines and database
    if abs(between_us) >= ODD_SKEW_S:
        offsets_s.append(between_us)
    if not (offsets_s or connection.vendor == "postgresql"):
        words = _("There is nothing to compare the clock with: no service answered.")
        return CheckResult(
            WARN, words, _("Compare it with a phone: %(now)s.") % {"now": _format_now()}
        )
    worst = max(offsets_s, key=abs, default=0.0)
    if abs(worst) < ODD_CLOCK_S and abs(between_us) < ODD_SKEW_S:
        return CheckResult(OK, _("The clock is right: %(now)s.") % {"now": _format_now()})
    words = _("The clock is wrong by about %(seconds)s s: here it is %(now)s.")
    words %= {"seconds": round(abs(worst)), "now": _format_now()}
    to_do = _("Switch on time synchronisation (NTP) on the server.")
    return CheckResult(FAIL if abs(worst) >= WRONG_CLOCK_S else WARN, words, to_do)


def _format_now() -> str:
    return f"{format_moment(timezone.now())}:{timezone.localtime():%S}"


def check_cleanup() -> CheckResult:
    report = load_last_cleanup()
    to_do = _("Let cron run “manage.py cleanup_media” every 15 minutes.")
    if report is None:
        return CheckResult(WARN, _("Old pictures have never been cleaned up."), to_do)
    at = format_moment(report.finished_at)
    if report.failures:
        words = _("The last cleanup, %(at)s, could not delete everything; the log names it.")
        return CheckResult(WARN, words % {"at": at}, _("Tell whoever runs the server."))
    words = _("Old pictures were last cleaned up %(at)s.") % {"at": at}
    is_late = clock.now() - report.finished_at > CLEANUP_LATE
    return CheckResult(WARN, words, to_do) if is_late else CheckResult(OK, words)
