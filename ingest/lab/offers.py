"""What can be tried in the lab: the slots' own recipes, each with the models its service offers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ingest.lab.problems import LabProblem
from photochanger.errors import InvalidFields
from providers.base import ProviderDriver
from slots.console.form_fields import describe_model
from slots.editing import build_draft
from slots.models import Slot
from slots.schemas import SlotIn
from slots.services import is_complete


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One column that may be chosen; ``value`` is what the form sends."""

    value: str
    title: str
    is_own: bool  # the recipe names this model


@dataclass(frozen=True, slots=True)
class Offer:
    """A recipe that may be tried, by the rules of ``slot``."""

    key: str
    title: str
    slot: Slot
    provider: str
    operation: str
    settings: dict[str, Any]
    driver: ProviderDriver[Any]

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
    def own_choice(self) -> ModelChoice:
        return self.choices[0]

    @property
    def other_choices(self) -> list[ModelChoice]:
        return self.choices[1:]


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


def choose_recipes(values: Iterable[str]) -> list[Chosen]:
    """In the order in which they are offered. Raises LabProblem, SlotNotFound."""
    wanted = set(values)
    return [
        _choose(offer, choice)
        for offer in list_offers()
        for choice in offer.choices
        if choice.value in wanted
    ]


def _choose(offer: Offer, choice: ModelChoice) -> Chosen:
    _key, _colon, model = choice.value.partition(":")
    field = next(iter(offer.driver.Settings.MODEL_FIELDS), "")
    settings = offer.settings if choice.is_own or not field else {**offer.settings, field: model}
    title = f"{offer.title} · {choice.title}"[:120]
    recipe = {"provider": offer.provider, "operation": offer.operation, "settings": settings}
    try:
        build_draft(offer.slot.pk, SlotIn.model_validate(recipe))
    except InvalidFields as exc:
        first = next(iter(exc.fields.values()), exc.sentence)
        raise LabProblem(f"{title}: {first}") from exc
    return Chosen(offer, title, settings)
