"""This server: slots, password, address, disk, clock, cleanup."""

import uuid
from datetime import UTC, datetime, timedelta
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
from pydantic import ValidationError as RecipeError

from ingest.cleanup import last_cleanup
from ingest.pipeline.input_links import find_public_base, is_private
from ingest.readiness.result import FAIL, OK, WARN, Verdict, active_slots, used_providers, when
from ingest.readiness.services import check_provider
from media import storage
from photochanger.errors import ProviderConfig, ProviderError, StorageError
from providers import http
from providers.registry import DRIVERS
from slots.models import Slot
from slots.passwords import get_password_hash
from slots.platform_settings import load_platform_settings

GB = 1024**3
LITTLE_BYTES, LOW_BYTES = GB // 10, 2 * GB
PHOTO_BYTES = 3 * 1024 * 1024  # a result and its preview, about
WRONG_CLOCK_S, ODD_CLOCK_S = 60, 5  # Date headers have whole seconds, and take a moment to come
CLEANUP_LATE = timedelta(minutes=30)  # cron runs it every 15 minutes
LOOK_SECONDS = 5.0


def look_at_slots() -> Verdict:
    slots = active_slots()
    prefetch_related_objects(slots, "template_media")
    if not slots:
        to_do = _("Switch on the slots of the event.")
        return Verdict(FAIL, _("No slot is switched on: every photo is refused."), to_do)
    broken = [slot.pk for slot in slots if not _can_work(slot)]
    if broken:
        words = _("Not set up completely: %(slots)s.") % {"slots": ", ".join(broken)}
        return Verdict(FAIL, words, _("Open the slot and fill in what is marked."))
    return Verdict(OK, _("Switched on: %(slots)s.") % {"slots": ", ".join(s.pk for s in slots)})


def _can_work(slot: Slot) -> bool:
    try:
        recipe = slot.recipe()
        kinds = [one.media_kind for one in slot.template_media.all()]
        return not slot.driver.find_conflicts(slot.operation, recipe, kinds)
    except (RecipeError, KeyError):
        return False


def look_at_password() -> Verdict:
    platform = load_platform_settings()
    closed = [slot.pk for slot in active_slots() if not get_password_hash(slot, platform)]
    if closed:
        words = _("No booth password is set: every photo is refused.")
        return Verdict(FAIL, words, _("Set it in the settings and type it into the booth."))
    return Verdict(OK, _("A booth password is set. Only the booth can show whether it has it too."))


def look_at_address() -> Verdict:
    """Where guests and services find us."""
    fetching = [name for name in used_providers() if DRIVERS[name].requires_public_media]
    try:
        for name in fetching:
            find_public_base(name)
    except ProviderConfig:
        words = _("%(provider)s fetches photos from this server, and has no address to do it.")
        to_do = _("Set PUBLIC_MEDIA_BASE_URL in .env and start the server anew.")
        return Verdict(FAIL, words % {"provider": DRIVERS[name].title}, to_do)
    base = settings.PUBLIC_BASE_URL or (settings.PUBLIC_MEDIA_BASE_URL if fetching else "")
    to_do = _("Set PUBLIC_BASE_URL in .env and start the server anew.")
    if not base:
        words = _("No public address is set: links for guests carry the address of whoever asks.")
        return Verdict(WARN, words, to_do)
    if is_private(urlsplit(base).hostname or ""):
        words = _("%(address)s opens in this network only: guests elsewhere see nothing.")
        return Verdict(WARN, words % {"address": base}, to_do)
    return _reached(base)


def _reached(base: str) -> Verdict:
    """Ask ourselves from outside, as far as a server can."""
    to_do = _("Open it on a phone without Wi-Fi. If it opens there, all is well.")
    words = _("%(address)s does not lead back to this server, or not from here.")
    try:
        reply = async_to_sync(http.get)(
            f"{base}/livez", max_bytes=64 * 1024, timeout_s=LOOK_SECONDS
        )
    except ProviderError:
        return Verdict(WARN, words % {"address": base}, to_do)
    if (reply.status, reply.body) != (200, b"ok"):
        return Verdict(WARN, words % {"address": base}, to_do)
    if not base.startswith("https://"):
        words = _("%(address)s opens, but without https: some phones and services refuse it.")
        return Verdict(WARN, words % {"address": base}, _("Put https in front of the server."))
    return Verdict(OK, _("%(address)s leads to this server.") % {"address": base})


def look_at_disk() -> Verdict:
    if not storage.is_local():
        return Verdict(OK, _("Pictures are kept in a bucket; its room is its provider's matter."))
    free = disk_usage(_existing(settings.MEDIA_ROOT)).free
    room = {"size": filesizeformat(free), "count": free // PHOTO_BYTES}
    words = _("%(size)s are free: room for about %(count)s photos.") % room
    to_do = _("Clean the media cache in the settings, or give the server more room.")
    if free < LITTLE_BYTES:
        return Verdict(FAIL, words, to_do)
    return Verdict(WARN, words, to_do) if free < LOW_BYTES else Verdict(OK, words)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def look_at_storage() -> Verdict:
    """Write a file, read it, remove it."""
    path, body = f"checks/{uuid.uuid4()}.txt", b"ready?"
    try:
        storage.write(path, body)
        is_same = storage.read(path) == body
        storage.remove(path)
    except (OSError, StorageError) as exc:
        words = _("Pictures cannot be stored: %(detail)s.") % {"detail": str(exc)[:200]}
        return Verdict(FAIL, words, _("Tell whoever runs the server: its disk needs a look."))
    if not is_same:
        words = _("What was stored came back changed.")
        return Verdict(FAIL, words, _("Tell whoever runs the server: its disk needs a look."))
    return Verdict(OK, _("A file was stored, read and removed."))


def look_at_clock() -> Verdict:
    """Our clock beside a service's and the database's; a second's difference says nothing."""
    ahead = [check_provider(name).clock_skew_s for name in used_providers()]
    known = [seconds for seconds in ahead if seconds is not None]
    if connection.vendor == "postgresql":
        known.append(_ahead_of_database())
    if not known:
        words = _("There is nothing to compare the clock with: no service answered.")
        return Verdict(WARN, words, _("Compare it with a phone: %(now)s.") % {"now": _now()})
    worst = max(known, key=abs)
    if abs(worst) < ODD_CLOCK_S:
        return Verdict(OK, _("The clock is right: %(now)s.") % {"now": _now()})
    words = _("The clock is wrong by about %(seconds)s s: here it is %(now)s.")
    words %= {"seconds": round(abs(worst)), "now": _now()}
    to_do = _("Switch on time synchronisation (NTP) on the server.")
    return Verdict(FAIL if abs(worst) >= WRONG_CLOCK_S else WARN, words, to_do)


def _ahead_of_database() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return (datetime.now(UTC) - theirs).total_seconds()


def _now() -> str:
    return f"{when(timezone.now())}:{timezone.localtime():%S}"


def look_at_cleanup() -> Verdict:
    report = last_cleanup()
    to_do = _("Let cron run “manage.py cleanup_media” every 15 minutes.")
    if report is None:
        return Verdict(WARN, _("Old pictures have never been cleaned up."), to_do)
    at = when(report.finished_at)
    if report.failures:
        words = _("The last cleanup, %(at)s, could not delete everything; the log names it.")
        return Verdict(WARN, words % {"at": at}, _("Tell whoever runs the server."))
    words = _("Old pictures were last cleaned up %(at)s.") % {"at": at}
    is_late = timezone.now() - report.finished_at > CLEANUP_LATE
    return Verdict(WARN, words, to_do) if is_late else Verdict(OK, words)
