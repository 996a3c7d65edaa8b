"""The form of a slot's reserves: three places on one page, each with the fields of its service."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from photochanger.errors import InvalidFields
from photochanger.parsing import parse_number
from providers.base import DriverSettings
from providers.registry import DRIVERS
from slots.console.form_fields import TextField, TickField, set_ids
from slots.console.recipe_form import RecipeForm, format_stored
from slots.console.slot_form import read_typed
from slots.models import ReserveSource, Slot
from slots.reserve.schemas import MAX_RESERVES
from slots.schemas import SlotIn
from slots.validation_messages import FieldMessages, messages_by_field

PROMPT, TWICE = "prompt", "reserve_may_cost_twice"


class PlaceForm(forms.Form):
    """What a reserve has beside its recipe. ``SlotIn`` judges the values."""

    service = forms.CharField(
        widget=forms.Select({"class": "redraws"}), label=_("AI service and operation")
    )
    is_enabled = TickField(label=_("Asked when those before it fail"), initial=True)
    base_url = TextField(
        label=_("Another address of the service"),
        help_text=_("A relay, for example. Empty: the service's own."),
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "url"}),
    )
    api_key = forms.CharField(
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        label=_("A key of its own"),
    )

    def __init__(self, scope: str, posted: QueryDict | None, initial: dict[str, Any]) -> None:
        super().__init__(posted, initial=initial, prefix=scope, use_required_attribute=False)
        for name, field in self.fields.items():
            field.required = False
            set_ids(field, f"{scope}-{name}")
        widget = self.fields["service"].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", gettext("— none —")), *list_services()]


def list_services() -> list[tuple[str, str]]:
    """Each operation of each provider, as ``provider:operation``."""
    return [
        (f"{driver.name}:{operation}", f"{driver.title}: {gettext(title)}")
        for driver in DRIVERS.values()
        for operation, title in driver.operations.items()
    ]


class ReserveRecipeForm(RecipeForm):
    """A recipe under names of its own, since several stand on one page; its prompt may be empty."""

    def __init__(
        self, slot: Slot, scope: str, typed: Mapping[str, str] | None, *, is_posted: bool
    ) -> None:
        super().__init__(slot, typed, is_posted=is_posted)
        self.prefix = f"{scope}-{self.prefix}"
        self.data = {f"{scope}-{name}": text for name, text in self.data.items()}
        self.stored = {f"{scope}-{name}": text for name, text in self.stored.items()}
        for name, field in self.fields.items():
            set_ids(field, f"{scope}-settings.{name}")
        if prompt := self.fields.get(PROMPT):
            prompt.label = _("A prompt of its own")
            prompt.help_text = _("Empty: the slot's prompt, also when that is changed later.")
            prompt.widget.attrs.pop("aria-required", None)
            prompt.widget.attrs["rows"] = 3


class Place:
    """One of the page's places, with or without a reserve in it."""

    def __init__(
        self, slot: Slot, number: int, row: ReserveSource | None, posted: QueryDict | None
    ) -> None:
        self.number, self.scope, self.row = number, f"reserve-{number}", row
        if posted is not None and f"{self.scope}-is_enabled" not in posted:  # it was just chosen
            posted = posted.copy()
            posted[f"{self.scope}-is_enabled"] = "true"
        self.base = PlaceForm(self.scope, posted, _list_initial(row))
        provider, _colon, operation = str(self.base["service"].value() or "").partition(":")
        self.recipe: ReserveRecipeForm | None = None
        self.left: list[Any] = []  # what is wrong and belongs to no field
        if provider in DRIVERS:
            shown = Slot(provider=provider, operation=operation)
            shown.settings = row.settings if row is not None else {}
            typed = None if posted is None else self._read_typed(posted, slot, shown)
            is_posted = posted is not None
            self.recipe = ReserveRecipeForm(shown, self.scope, typed, is_posted=is_posted)

    @property
    def has_key(self) -> bool:
        return self.row is not None and bool(self.row.api_key)

    def _read_typed(self, posted: QueryDict, slot: Slot, shown: Slot) -> dict[str, str]:
        """What was typed for the recipe; a service that was just chosen begins like the slot."""
        scope = f"{self.scope}-"
        typed = {
            name.removeprefix(scope): text
            for name, text in read_typed(posted).items()
            if name.startswith(f"{scope}recipe-")
        }
        prefix = f"recipe-{shown.provider}-"
        if not any(name.startswith(prefix) for name in typed):
            typed |= format_stored(Slot(provider=shown.provider, settings=_borrow(slot, shown)))
        return typed | {"provider": shown.provider, "operation": shown.operation}

    def read(self, posted: QueryDict) -> dict[str, Any]:
        """As ``ReserveIn`` takes it."""
        assert self.recipe is not None
        self.base.full_clean()
        values = self.base.cleaned_data
        key: dict[str, str] = {"api_key": values["api_key"]} if values["api_key"] else {}
        if posted.get(f"{self.scope}-key_removed") == "true":
            key = {"api_key": ""}
        return {
            "provider": self.recipe.driver.name,
            "operation": self.recipe.operation,
            "settings": self.recipe.read_settings(),
            "base_url": values["base_url"],
            "is_enabled": values["is_enabled"],
            **key,
        }

    def add_messages(self, messages: FieldMessages) -> None:
        """Put each beside its field; those without one stand above the place's fields."""
        assert self.recipe is not None
        for name, words in self.recipe.add_messages(messages).items():
            if name in self.base.fields:
                self.base.add_error(name, str(words))
            else:
                self.left.append(words)


def _list_initial(row: ReserveSource | None) -> dict[str, Any]:
    if row is None:
        return {}
    service = f"{row.provider}:{row.operation}"
    return {"service": service, "is_enabled": row.is_enabled, "base_url": row.base_url}


def _borrow(slot: Slot, shown: Slot) -> dict[str, Any]:
    """Of the slot's settings those that its reserve can have too; the prompt follows by itself."""
    is_same = slot.provider == shown.provider
    names = slot.settings.keys() if is_same else DriverSettings.model_fields.keys()
    return {name: it for name, it in slot.settings.items() if name in names and name != PROMPT}


class ReserveForm:
    """All that the page can change."""

    def __init__(self, slot: Slot, posted: QueryDict | None = None) -> None:
        self.posted = posted
        rows = {row.position: row for row in slot.reserves.all()}
        numbers = range(1, MAX_RESERVES + 1)
        self.places = [Place(slot, number, rows.get(number), posted) for number in numbers]
        self.version = str(slot.version) if posted is None else posted.get("version", "")
        sent = posted.getlist(TWICE) if posted is not None else []
        self.may_cost_twice = "true" in sent if sent else slot.reserve_may_cost_twice

    @property
    def used(self) -> list[Place]:
        return [place for place in self.places if place.recipe is not None]

    def read_change(self) -> SlotIn:
        """Raises InvalidFields, by the names of ``SlotIn``."""
        assert self.posted is not None
        values: dict[str, Any] = {
            "reserves": [place.read(self.posted) for place in self.used],
            TWICE: self.may_cost_twice,
        }
        if (version := parse_number(self.version)) is not None:
            values["version"] = version
        wrong: FieldMessages = {
            f"reserves.{index}.settings.{name}": str(errors[0])
            for index, place in enumerate(self.used)
            if place.recipe is not None
            for name, errors in place.recipe.errors.items()
        }
        try:
            change = SlotIn.model_validate(values)
        except ValidationError as exc:
            wrong = messages_by_field(exc.errors(include_url=False, include_input=False)) | wrong
        if wrong:
            raise InvalidFields(wrong)
        return change

    def add_messages(self, messages: FieldMessages) -> list[Any]:
        """Those that belong to no place are returned."""
        left = dict(messages)
        for index, place in enumerate(self.used):
            prefix = f"reserves.{index}."
            own = [name for name in left if name.startswith(prefix)]
            place.add_messages({name.removeprefix(prefix): left.pop(name) for name in own})
        return list(left.values())
