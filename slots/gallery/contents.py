"""What the guests of an event may see together: a slot's newest results, while it is open."""

import hashlib
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

from media.guests.look import GuestLook
from media.models import MediaObject
from media.services import select_published_results
from photochanger.errors import GalleryClosed
from slots.gallery.addresses import find_gallery_slot, is_secret_key
from slots.gallery.modes import SHOWN, find_gallery_mode
from slots.look.finding import find_event, make_look
from slots.models import Slot
from slots.platform_settings import load_platform_settings

Mode = Slot.GalleryMode


@dataclass(frozen=True, slots=True)
class GalleryResult:
    """One result on show, by the id that shows it and cannot delete it."""

    view_id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gallery:
    slot_id: str
    key: str  # by which it was found, and which its own links carry: number or secret
    look: GuestLook
    results: tuple[GalleryResult, ...]  # newest first
    fresh_until: float  # time.monotonic(); nobody may see it so afterwards

    @property
    def name(self) -> str:
        return self.look.title

    def etag(self, *more: str) -> str:
        """Another one as soon as anybody would see something else; ``more``: what also matters."""
        seen = repr((self.key, self.look, self.results, more))
        return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def get_cached_gallery(key: str) -> Gallery | None:
    """What another phone has been shown less than ``GALLERY_FRESH_SECONDS`` ago."""
    seen: Gallery | None = cache.get(_cache_key(key))
    return seen


def load_gallery(key: str) -> Gallery:
    """The gallery behind a slot's number or secret address, as it is now.

    Three queries, with an event four.

    Raises SlotNotFound; GalleryClosed, also for the number while only the secret address leads in.
    """
    began_at = time.monotonic()
    slot, platform = find_gallery_slot(key), load_platform_settings()
    mode = find_gallery_mode(slot, platform)
    if mode == Mode.CLOSED or (mode == Mode.SECRET and not is_secret_key(slot, key)):
        raise GalleryClosed(slot.pk)
    rows = select_published_results(slot.pk, SHOWN[slot.publishing])
    if slot.event_id is not None:  # the guests of one event never see those of another
        rows = rows.filter(event_id=slot.event_id)
    shown = list(_keep_last_event(rows[: platform.gallery_size]))
    results = tuple(
        GalleryResult(row.view_id, row.created_at, row.expires_at)
        for row in shown
        if row.view_id is not None
    )
    event_id = slot.event_id or (shown[0].event_id if shown else None)  # the last one's, when over
    look = make_look(find_event(event_id), title=slot.guest_title)
    # From the moment of reading on: what is hidden now is nowhere on show when they are over.
    fresh_until = began_at + settings.GALLERY_FRESH_SECONDS
    gallery = Gallery(slot.pk, key, look, results, fresh_until)
    timeout_s = max(0.0, fresh_until - time.monotonic())
    cache.set(_cache_key(key), gallery, timeout=timeout_s)
    return gallery


def _keep_last_event(rows: Iterable[MediaObject]) -> Iterator[MediaObject]:
    """Newest first: of the last event, and what belongs to none; nothing of those before it."""
    last: int | None = None
    for row in rows:
        last = last if last is not None else row.event_id
        if row.event_id in (None, last):
            yield row


def _cache_key(key: str) -> str:
    return f"gallery:{hashlib.sha256(key.encode()).hexdigest()}"
