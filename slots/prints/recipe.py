"""A slot's recipe, made to fit what its pictures are printed on."""

from photochanger.pictures.paper import PAPERS_PX
from photochanger.pictures.printing import Frame
from providers.base import DriverSettings
from slots.models import Slot


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
