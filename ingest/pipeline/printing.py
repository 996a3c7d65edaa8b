"""How the picture of one photo is printed, by its slot: what was made, or the photo itself."""

from functools import partial

from ingest.faces.heads import find_heads
from ingest.pipeline.order import Order
from photochanger.pictures import JPEG, Photo, Picture, decode_file, encode
from photochanger.pictures.paper import PAPERS_PX
from photochanger.pictures.photo import QUALITY
from photochanger.pictures.printing import PRINT_DPI, PrintPlan, make_print
from providers.clean_photo import make_print_copy
from slots.models import Slot

HEADS_WAIT_S = 1.0  # a look of 0.1 s that has not had its turn by then is not waited for
PRINT_S = 0.3  # kept of the deadline for cropping and encoding
SPARE_SIDES = 2  # of a photo that stands in: so much longer than the paper it is decoded at least


def plan_print(order: Order) -> PrintPlan | None:
    """None for a slot whose pictures stay as they come. Call it on the event loop."""
    slot = order.slot
    if not slot.paper:
        return None
    may_look = order.platform.faces != "off" and slot.faces != Slot.Faces.OFF
    wait_s = min(HEADS_WAIT_S, order.deadline.left_s - PRINT_S) if may_look else 0.0
    return PrintPlan(size_px=PAPERS_PX[slot.paper], find_heads=partial(find_heads, wait_s=wait_s))


def print_original(photo: Photo, plan: PrintPlan | None) -> Picture:
    """The booth's own photo as the slot prints its pictures. Blocking, up to 0.5 s.

    Raises UnreadablePicture.
    """
    if plan is None:
        return make_print_copy(photo)
    side_px = SPARE_SIDES * max(plan.size_px)  # of a large photo no more than paper can show
    found = decode_file(photo.file, max_megapixels=photo.megapixels, max_side_px=side_px)
    body = encode(make_print(found.image, plan), JPEG, quality=QUALITY, dpi=PRINT_DPI)
    return Picture(body=body, mime=JPEG)
