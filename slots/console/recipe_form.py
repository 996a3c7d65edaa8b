"""The recipe of a slot as a form: the fields of the chosen provider and operation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from providers.base import Needs, ProviderDriver
from providers.registry import DRIVERS
from slots.console.form_fields import ChosenField, build_field, format_text
from slots.console.schema_fields import (
    MISSING,
    SchemaField,
    list_operation_fields,
    list_schema_fields,
    read_nested,
    write_nested,
)
from slots.models import Slot
from slots.validation_messages import FieldMessages

MAIN = ("prompt", "model")


class RecipeForm(forms.Form):
    """Shows what is stored, or what was typed for any provider; posted, it reads the settings.

    ``hidden_inputs`` carry what was typed for fields that are not shown, so that it comes back
    with them.
    """

    def __init__(
        self,
        slot: Slot,
        typed: Mapping[str, str] | None = None,
        *,
        is_posted: bool = False,
        carries_prompt: bool = True,
    ) -> None:
        self.stored = format_stored(slot)
        chosen = {"provider": slot.provider, "operation": slot.operation}
        typed = chosen | dict(self.stored if typed is None else typed)
        self.driver, self.operation = choose_operation(typed)
        prefix = get_prefix(self.driver)
        if carries_prompt and not is_posted:
            typed = carry_prompt(self.driver, typed)
        self.needs = find_needs(self.driver, self.operation, typed)
        self.schema_fields = list_starred_fields(self.driver, self.operation, self.needs)
        built = {
            name: build_field(self.driver, found, self.operation)
            for name, found in self.schema_fields.items()
        }
        texts = {
            f"{prefix}-{name}": typed.get(f"{prefix}-{name}", format_text(field, field.initial))
            for name, field in built.items()
        }
        self.hidden_inputs = [
            (name, text)
            for name, text in typed.items()
            if name.startswith("recipe-") and name not in texts
        ]
        super().__init__(
            data=texts if is_posted else None,
            initial={name: texts[f"{prefix}-{name}"] for name in built},
            prefix=prefix,
            use_required_attribute=False,
        )
        self.fields |= built
        for name, field in built.items():
            if isinstance(field, ChosenField):
                field.add_choice(texts[self.add_prefix(name)])

    @property
    def provider_choices(self) -> list[tuple[str, str]]:
        return [(driver.name, driver.title) for driver in DRIVERS.values()]

    @property
    def operation_choices(self) -> list[tuple[str, str]]:
        return [(name, _(title)) for name, title in self.driver.operations.items()]

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self if self._is_main(field)]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [field for field in self if not self._is_main(field)]

    def _is_main(self, field: forms.BoundField) -> bool:
        is_required = self.schema_fields[field.name].is_required
        return is_required or field.name in MAIN or bool(field.errors)

    @property
    def model_title(self) -> str:
        """The AI model that is chosen, by the name people know."""
        for name in self.driver.Settings.MODEL_FIELDS:
            field = self.fields.get(name)
            if isinstance(field, ChosenField):
                value = self[name].value()
                return f"{self.driver.title}, {field.titles[value]}"
        return self.driver.title

    def read_settings(self) -> dict[str, Any]:
        """What was typed, for pydantic to judge. A default that nobody set stays unsaid."""
        self.full_clean()
        settings: dict[str, Any] = {}
        for name, found in self.schema_fields.items():
            if name not in self.cleaned_data:
                continue  # it could not be read, and is marked
            html_name, field = self.add_prefix(name), self.fields[name]
            text = self.data[html_name].replace("\r\n", "\n").strip()
            default = format_text(field, self.schema_fields[name].schema.get("default"))
            if text == default and html_name not in self.stored:
                continue
            if text:
                write_nested(settings, found.path, self.cleaned_data[name])
            elif found.is_nullable and default:
                write_nested(settings, found.path, None)
        return settings

    def add_messages(self, messages: FieldMessages) -> FieldMessages:
        """Put the messages of ``settings.*`` beside their fields; the others are returned."""
        left = dict(messages)
        for name in self.fields:
            path = f"settings.{name}"
            for place in [it for it in left if it == path or it.startswith(f"{path}.")]:
                words = left.pop(place)
                if name not in self.errors:
                    self.add_error(name, str(words))
        return left


def choose_operation(typed: Mapping[str, str]) -> tuple[ProviderDriver[Any], str]:
    """What was chosen, or the first of what there is."""
    driver = DRIVERS.get(typed["provider"], next(iter(DRIVERS.values())))
    is_known = typed["operation"] in driver.operations
    return driver, typed["operation"] if is_known else next(iter(driver.operations))


def find_needs(driver: ProviderDriver[Any], operation: str, typed: Mapping[str, str]) -> Needs:
    """``typed``: by the names of inputs."""
    prefix = f"{get_prefix(driver)}-"
    named = {name.removeprefix(prefix): it for name, it in typed.items() if name.startswith(prefix)}
    return driver.find_needs(operation, named)


def list_starred_fields(
    driver: ProviderDriver[Any], operation: str, needs: Needs
) -> dict[str, SchemaField]:
    """The settings of an operation by name; what it needs counts as required."""
    return {
        found.name: replace(found, is_required=found.is_required or found.name in needs.settings)
        for found in list_operation_fields(driver, operation)
    }


def get_prefix(driver: ProviderDriver[Any]) -> str:
    return f"recipe-{driver.name}"


def format_stored(slot: Slot) -> dict[str, str]:
    """A slot's settings as if they had been typed, for every operation of its provider."""
    driver = DRIVERS.get(slot.provider)
    if driver is None:
        return {}
    texts = {}
    for found in list_schema_fields(driver):
        value = read_nested(slot.settings, found.path)
        if value is not MISSING:
            name = f"{get_prefix(driver)}-{found.name}"
            texts[name] = format_text(build_field(driver, found), value)
    return texts


def carry_prompt(driver: ProviderDriver[Any], typed: dict[str, str]) -> dict[str, str]:
    """Where nothing was typed for this provider yet, the prompt of another one serves."""
    name = f"{get_prefix(driver)}-prompt"
    if typed.get(name) or "prompt" not in driver.Settings.model_fields:
        return typed
    others = (typed.get(f"{get_prefix(other)}-prompt", "") for other in DRIVERS.values())
    return typed | {name: next(filter(None, others), "")}
