"""What the guests of an event may see together: a slot's newest results, while it is open."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

from media.services import visible_results
from photochanger.errors import GalleryClosed
from slots.services import find_slot, gallery_is_open, platform_settings


@dataclass(frozen=True, slots=True)
class Shown:
    """One result on show."""

    job_id: uuid.UUID
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gallery:
    slot_id: str
    name: str
    results: tuple[Shown, ...]  # newest first

    def etag(self, *more: str) -> str:
        """Another one as soon as anybody would see something else; ``more``: what also matters."""
        seen = repr((self.name, self.results, more))
        return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def gallery_seen_lately(slot_id: str) -> Gallery | None:
    """What another phone has been shown less than ``GALLERY_FRESH_SECONDS`` ago."""
    seen: Gallery | None = cache.get(_cache_key(slot_id))
    return seen


def look_at_gallery(slot_id: str) -> Gallery:
    """A slot's gallery as it is now. Three queries. Raises SlotNotFound, GalleryClosed."""
    slot, platform = find_slot(slot_id), platform_settings()
    if not gallery_is_open(slot, platform):
        raise GalleryClosed(slot.pk)
    rows = visible_results(slot.pk).filter(job_id__isnull=False)[: platform.gallery_size]
    results = tuple(
        Shown(row.job_id, row.created_at, row.expires_at) for row in rows if row.job_id is not None
    )
    gallery = Gallery(slot.pk, str(slot), results)
    cache.set(_cache_key(slot.pk), gallery, timeout=settings.GALLERY_FRESH_SECONDS)
    return gallery


def _cache_key(slot_id: str) -> str:
    return f"gallery:{hashlib.sha256(slot_id.encode()).hexdigest()}"
