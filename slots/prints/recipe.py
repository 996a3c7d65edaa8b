"""A slot's recipe, made to fit the paper that its pictures are printed on."""

from photochanger.pictures.paper import PAPERS_PX
from providers.base import DriverSettings
from slots.models import Slot


def build_photo_recipe(slot: Slot) -> DriverSettings:
    """As photos are made by it: what the slot's settings leave open follows the paper.

    Raises pydantic's ValidationError, and KeyError for a provider that was removed from the code.
    """
    recipe, size = slot.recipe(), PAPERS_PX.get(slot.paper)
    return recipe.fit_print(*size) if size else recipe
