"""What can be tried in the lab: the slots' own recipes and those of the library, each with the
models its service offers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from ingest.lab.problems import LabProblem
from photochanger.errors import InvalidFields, Text
from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.console.form_fields import describe_model
from slots.editing import build_draft
from slots.library.editing import build_change, fill_recipe
from slots.library.presets import LibraryPreset, list_presets
from slots.models import Slot
from slots.prints.frames import list_sent_templates
from slots.schemas import SlotIn
from slots.services import find_obstacles, find_slot, is_complete

NO_TEMPLATES = _("It needs template pictures, and this slot has none. Choose another slot.")
GONE = _("A recipe that you chose cannot be tried any more. Look through the list again.")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One column that may be chosen; ``value`` is what the form sends."""

    value: str
    title: str
    is_own: bool  # the recipe names this model


@dataclass(frozen=True, slots=True)
class Offer:
    """A recipe that may be tried, by the rules of ``slot``; its own where there is no ``preset``.

    ``obstacle``: why it cannot be tried in this slot; then it has no choices.
    """

    key: str
    title: str
    slot: Slot
    provider: str
    operation: str
    settings: dict[str, Any]
    driver: ProviderDriver[Any]
    preset: LibraryPreset | None = None
    obstacle: Text = ""

    @property
    def prompt(self) -> str:
        texts = (self.settings.get(name) for name in self.driver.Settings.PROMPT_FIELDS)
        return next((text for text in texts if isinstance(text, str)), "")

    @property
    def own_model(self) -> str:
        """Empty where the service has no models to choose from."""
        if not self.driver.models:
            return ""
        recipe = self.driver.Settings.model_validate(self.settings)
        return next(iter(recipe.models_used()), "")

    @property
    def choices(self) -> list[ModelChoice]:
        """The recipe's own model first; one nameless choice where there is none."""
        if self.obstacle:
            return []
        own = self.own_model
        if not own:
            return [ModelChoice(f"{self.key}:", str(self.driver.title), is_own=True)]
        titles = {model.id: describe_model(model) for model in self.driver.models}
        others = [key for key in titles if key != own]
        return [
            ModelChoice(f"{self.key}:{key}", titles.get(key, key), is_own=key == own)
            for key in (own, *others)
        ]

    @property
    def frozen(self) -> dict[str, Any]:
        """What a run keeps of a preset beside service and settings, by its columns."""
        if self.preset is None:
            return {}
        return {
            "preset": self.preset.key,
            "variables": self.preset.variables,
            "face_style": self.preset.face_style,
            "uses_templates": self.preset.uses_templates,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """A recipe with its model, that a photo can be made by."""

    offer: Offer
    title: str
    settings: dict[str, Any]


def list_offers() -> list[Offer]:
    """Of all slots that a photo could be made by, switched on or not. Two queries."""
    slots = Slot.objects.prefetch_related("template_media")
    return [_offer_slot(slot) for slot in slots if slot.settings and is_complete(slot)]


def _offer_slot(slot: Slot) -> Offer:
    return Offer(
        key=slot.pk,
        title=f"{slot} · {slot.pk}" if slot.display_name else slot.pk,
        slot=slot,
        provider=slot.provider,
        operation=slot.operation,
        settings=slot.settings,
        driver=slot.driver,
    )


def list_preset_offers(slot: Slot) -> list[Offer]:
    """Of the library, as if each stood in this slot. Two queries and the slot's pictures."""
    kinds = [one.media_kind for one in list_sent_templates(slot)]
    return [_offer_preset(one, slot, kinds) for one in list_presets() if one.is_usable]


def _offer_preset(preset: LibraryPreset, slot: Slot, kinds: list[str]) -> Offer:
    recipe = fill_recipe(preset, slot)
    return Offer(
        key=preset.key,
        title=preset.name,
        slot=slot,
        provider=preset.provider,
        operation=preset.operation,
        settings=recipe["settings"],
        driver=DRIVERS[preset.provider],
        preset=preset,
        obstacle=_find_obstacle(preset, recipe, kinds),
    )


def _find_obstacle(preset: LibraryPreset, recipe: dict[str, Any], kinds: list[str]) -> Text:
    if preset.uses_templates and not kinds:
        return NO_TEMPLATES
    used = kinds if preset.uses_templates else []
    return next(iter(find_obstacles(Slot(**recipe), used).values()), "")


def choose_recipes(values: Iterable[str], slot_id: str) -> list[Chosen]:
    """In the order in which they are offered; the library's as if they stood in this slot.

    Raises LabProblem, SlotNotFound.
    """
    wanted = set(values)
    offers = list_offers()
    if slot_id:
        offers += list_preset_offers(find_slot(slot_id))
    chosen = [
        _choose(offer, choice)
        for offer in offers
        for choice in offer.choices
        if choice.value in wanted
    ]
    if len(chosen) < len(wanted):
        raise LabProblem(GONE)
    return chosen


def _choose(offer: Offer, choice: ModelChoice) -> Chosen:
    _key, _colon, model = choice.value.partition(":")
    field = next(iter(offer.driver.Settings.MODEL_FIELDS), "")
    settings = offer.settings if choice.is_own or not field else {**offer.settings, field: model}
    title = f"{offer.title} · {choice.title}"[:120]
    recipe = {"provider": offer.provider, "operation": offer.operation}
    change = build_change(offer.preset, offer.slot) if offer.preset else SlotIn(**recipe)
    try:
        build_draft(offer.slot.pk, change.model_copy(update={"settings": settings}))
    except InvalidFields as exc:
        first = next(iter(exc.fields.values()), exc.sentence)
        raise LabProblem(f"{title}: {first}") from exc
    return Chosen(offer, title, settings)
