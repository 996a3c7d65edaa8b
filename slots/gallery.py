"""What the guests of an event may see together: a slot's newest results, while it is open."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from media.services import select_listed_results
from photochanger.errors import GalleryClosed
from slots.models import Slot
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.services import find_slot


@dataclass(frozen=True, slots=True)
class GalleryResult:
    """One result on show, by the id that shows it and cannot delete it."""

    view_id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gallery:
    slot_id: str
    name: str
    results: tuple[GalleryResult, ...]  # newest first

    def etag(self, *more: str) -> str:
        """Another one as soon as anybody would see something else; ``more``: what also matters."""
        seen = repr((self.name, self.results, more))
        return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def get_cached_gallery(slot_id: str) -> Gallery | None:
    """What another phone has been shown less than ``GALLERY_FRESH_SECONDS`` ago."""
    seen: Gallery | None = cache.get(_cache_key(slot_id))
    return seen


def load_gallery(slot_id: str) -> Gallery:
    """A slot's gallery as it is now. Three queries. Raises SlotNotFound, GalleryClosed."""
    slot, platform = find_slot(slot_id), load_platform_settings()
    if not gallery_is_open(slot, platform):
        raise GalleryClosed(slot.pk)
    rows = select_listed_results(slot.pk).filter(job_id__isnull=False)[: platform.gallery_size]
    results = tuple(
        GalleryResult(row.view_id, row.created_at, row.expires_at)
        for row in rows
        if row.view_id is not None
    )
    gallery = Gallery(slot.pk, str(slot), results)
    cache.set(_cache_key(slot.pk), gallery, timeout=settings.GALLERY_FRESH_SECONDS)
    return gallery


def gallery_is_open(slot: Slot, platform: PlatformSettings) -> bool:
    """Whether anybody who knows the slot's name may see its results now."""
    is_over = slot.gallery_until is not None and slot.gallery_until <= timezone.now()
    return platform.galleries_open and slot.is_active and slot.gallery_enabled and not is_over


def _cache_key(slot_id: str) -> str:
    return f"gallery:{hashlib.sha256(slot_id.encode()).hexdigest()}"
