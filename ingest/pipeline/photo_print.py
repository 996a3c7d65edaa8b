"""How the picture of one photo is printed, by its slot: what was made, or the photo itself."""

from functools import partial

import structlog
from django.db import Error as AnyDatabaseError
from django.urls import reverse

from ingest.faces.heads import find_heads
from ingest.pipeline.order import Order
from media import storage
from media.models import MediaObject
from media.view_ids import make_view_id
from photochanger.db import in_db
from photochanger.errors import ProviderConfig, StorageError
from photochanger.pictures import (
    JPEG,
    Photo,
    Picture,
    UnreadablePicture,
    decode_file,
    encode,
)
from photochanger.pictures.photo import QUALITY
from photochanger.pictures.printing import PRINT_DPI, Frame, PrintPlan, make_print
from photochanger.tasks import run_in_worker
from providers.clean_photo import make_print_copy
from slots.models import Slot
from slots.prints.frames import find_slot_frame, load_frame
from slots.prints.plans import build_print_plan

log = structlog.get_logger()

HEADS_WAIT_S = 1.0  # a detection of 0.1 s that has not begun by then is not waited for
PRINT_S = 0.3  # kept of the deadline for cropping and encoding
SPARE_SIDES = 2  # of a photo that stands in: so much longer than the print it is decoded at least


def plan_print(
    order: Order, frame: Frame | None = None, *, people: int | None = None, has_page: bool = True
) -> PrintPlan | None:
    """None for a slot whose pictures stay as they come. Call it on the event loop.

    ``has_page``: the picture will have a page, which the guest's code leads to.
    """
    slot = order.slot
    if not (slot.paper or slot.frame_text or slot.frame_qr or frame):
        return None
    may_detect = order.platform.faces != "off" and slot.faces != Slot.Faces.OFF
    wait_s = min(HEADS_WAIT_S, order.deadline.left_s - PRINT_S) if may_detect else 0.0
    # Prints hang on walls, and their pictures in galleries: the code on them only shows.
    page = reverse("api:guest_page", kwargs={"job_id": make_view_id(order.job_id)})
    return build_print_plan(
        slot,
        find_heads=partial(find_heads, wait_s=wait_s),
        frame=frame,
        people=people,
        texts=order.guest_texts,
        address=order.phone_base + page if order.phone_base and has_page else "",
    )


async def print_original(order: Order) -> Picture:
    """The booth's own photo as the slot prints its pictures, without a code: it has no page.

    Raises UnreadablePicture.
    """
    try:
        plan = plan_print(order, await _find_frame(order.slot), has_page=False)
        return await run_in_worker(order.slot.pk, _print_photo, order.photo, plan)
    except UnreadablePicture:
        raise
    except Exception:  # of Pillow, or a bug: whatever hinders the print, the photo itself is there
        log.exception("ingest.original.not_printed", slot=order.slot.pk)
        return await run_in_worker(order.slot.pk, make_print_copy, order.photo)


async def _find_frame(slot: Slot) -> Frame | None:
    try:
        media = await in_db(find_slot_frame, slot.pk)
    except AnyDatabaseError:
        log.exception("ingest.frame.missing", slot=slot.pk)
        return None
    return await load_frame_if_there(media, slot.paper) if media else None


async def load_frame_if_there(media: MediaObject, paper: str) -> Frame | None:
    """A guest gets a print all the same where it cannot be had: results, and photos for them."""
    try:
        return await storage.in_threads(load_frame, media, paper)
    except (StorageError, ProviderConfig, OSError):
        log.exception("ingest.frame.missing", media=str(media.pk))
        return None


def _print_photo(photo: Photo, plan: PrintPlan | None) -> Picture:
    """Blocking, up to 0.5 s."""
    if plan is None:
        return make_print_copy(photo)
    size = plan.frame.image.size if plan.frame else plan.size_px
    side_px = SPARE_SIDES * max(size) if size else None  # no more than a print can show
    found = decode_file(photo.file, max_megapixels=photo.megapixels, max_side_px=side_px)
    body = encode(make_print(found.image, plan), JPEG, quality=QUALITY, dpi=PRINT_DPI)
    return Picture(body=body, mime=JPEG)
