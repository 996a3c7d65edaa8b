"""Who may see a slot's gallery: one answer out of all that may close it."""

from media.models import MediaObject
from photochanger.db import clock
from slots.models import Slot
from slots.platform_settings import PlatformSettings

Mode = Slot.GalleryMode
FROM_WIDEST = tuple(Mode)
Publishing = Slot.Publishing
Review = MediaObject.Review
# Which pictures gallery and slide show have, by what was decided on them.
SHOWN: dict[str, tuple[str, ...]] = {
    Publishing.AT_ONCE: (Review.NEW, Review.SAFE, Review.APPROVED),
    Publishing.SORTED: (Review.SAFE, Review.APPROVED),
    Publishing.AFTER_APPROVAL: (Review.APPROVED,),
    Publishing.NEVER: (),
}


def find_gallery_mode(slot: Slot, platform: PlatformSettings) -> Slot.GalleryMode:
    """Who sees it now: the strictest of the slot's choice, that for all slots, and its end."""
    is_over = slot.gallery_until is not None and slot.gallery_until <= clock.now()
    if is_over or not slot.is_active or slot.publishing == Slot.Publishing.NEVER:
        return Mode.CLOSED
    return max(Mode(slot.gallery_mode), Mode(platform.galleries), key=FROM_WIDEST.index)


def switch_gallery(slot: Slot, *, is_on: bool) -> None:
    """As programs do that know on and off only; what is on already stays as it is. Not saved."""
    if not is_on:
        slot.gallery_mode = Mode.CLOSED
    elif slot.gallery_mode == Mode.CLOSED:
        slot.gallery_mode = Mode.OPEN
