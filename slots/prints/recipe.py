"""A slot's recipe, made to fit what its pictures are printed on."""

from photochanger.pictures.paper import PAPERS_PX
from photochanger.pictures.printing import Frame
from providers.base import DriverSettings
from slots.models import Slot
from slots.prints.frames import MAX_FRAME_SIDE_PX
from slots.prompts.filling import fill_longest


def build_photo_recipe(slot: Slot, frame: Frame | None = None) -> DriverSettings:
    """As photos are made by it: what the slot's settings leave open follows the paper, or what
    shows through its frame.

    Raises pydantic's ValidationError, and KeyError for a provider that was removed from the code.
    """
    recipe, size = slot.recipe(), PAPERS_PX.get(slot.paper)
    if frame is not None:
        left, top, right, bottom = frame.window
        size = (right - left, bottom - top)
    return recipe.fit_print(*size) if size else recipe


def build_largest_recipe(slot: Slot, *, has_frame: bool) -> DriverSettings:
    """As photos are made by it at most: with the longest words that a booth may send, and, where a
    frame decides on the size, with the largest that any frame can have. Reads no file.

    Raises as ``build_photo_recipe``.
    """
    recipe = build_photo_recipe(slot)  # what shows through a frame is no larger than its paper
    if has_frame and not slot.paper:
        recipe = recipe.fit_print(MAX_FRAME_SIDE_PX, MAX_FRAME_SIDE_PX)
    return fill_longest(recipe, slot.list_variables() if slot.variables else [])
