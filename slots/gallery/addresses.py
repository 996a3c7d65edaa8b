"""Where a slot's gallery is found: by the slot's number, or by a secret address."""

import hmac
from typing import Literal

import structlog
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse

from media.links import build_url_of_path
from photochanger.db import clock
from photochanger.errors import SlotNotFound
from slots.history.records import history_entry
from slots.models import Slot
from slots.platform_settings import PlatformSettings
from slots.secrets import make_link_token
from slots.services import MAX_SLOT_ID, find_slot, lock_slot

log = structlog.get_logger()

Page = Literal["gallery", "slideshow", "gallery_qr", "slideshow_qr"]


def find_gallery_slot(key: str) -> Slot:
    """The slot of an address. One query. Raises SlotNotFound, which never names a secret."""
    if len(key) <= MAX_SLOT_ID:
        return find_slot(key)
    # All fifteen are compared, each in constant time: how long it takes tells nothing.
    matches = [
        slot
        for slot in Slot.objects.all()
        if hmac.compare_digest(slot.gallery_token.encode(), key.encode(errors="replace"))
    ]
    if not matches:
        raise SlotNotFound("no gallery has this secret address")
    return matches[0]


def is_secret_key(slot: Slot, key: str) -> bool:
    return key != slot.pk


def build_gallery_url(
    request: HttpRequest, slot: Slot, platform: PlatformSettings, page: Page = "gallery"
) -> str:
    """The public address of the slot's gallery, slide show or QR code, for links and codes.

    The one place that decides between number and secret address: never build it by hand. While the
    gallery is closed it is the address that would lead there.
    """
    return build_url_of_path(request, build_gallery_path(slot, platform, page))


def build_gallery_path(slot: Slot, platform: PlatformSettings, page: Page = "gallery") -> str:
    """``build_gallery_url`` without its beginning, for our own pages."""
    is_secret = Slot.GalleryMode.SECRET in (slot.gallery_mode, platform.galleries)
    key = slot.gallery_token if is_secret else slot.pk
    return reverse(f"api:{page}", kwargs={"slot_id": key})


@transaction.atomic
def replace_gallery_address(slot_id: str, *, by: str) -> Slot:
    """A new secret address; the one before leads nowhere from now on. Raises SlotNotFound.

    Whatever else is wrong with the slot: this cannot wait until its recipe is right.
    """
    find_slot(slot_id)
    lock_slot(slot_id)
    with history_entry(slot_id, by=by):
        Slot.objects.filter(pk=slot_id).update(
            gallery_token=make_link_token(),
            version=F("version") + 1,
            updated_at=clock.now(),
            updated_by=by,
        )
    log.info("slots.gallery.address_replaced", slot=slot_id, by=by)
    return find_slot(slot_id)
