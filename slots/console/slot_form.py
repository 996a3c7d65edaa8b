"""The slot page's form: what it shows, and what was typed into it as a change of the slot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.timezone import is_naive, localtime, make_aware
from django.utils.translation import gettext as _
from pydantic import ValidationError

from photochanger.errors import InvalidFields
from providers.base import ProviderDriver
from providers.registry import DRIVERS
from slots.console.form_fields import (
    FALSE,
    TRUE,
    Control,
    control,
    every_leaf,
    input_name,
    leaves,
    settings_of,
    typed_of,
)
from slots.models import Slot
from slots.schemas import SlotIn
from slots.validation_messages import DATE, FieldMessages, messages_by_field

OWN = (
    *("display_name", "is_active", "size_limit_mb", "sync_response_seconds"),
    *("on_failure", "gallery_enabled", "gallery_until"),
)
CHECKED, NUMBERS = ("is_active", "gallery_enabled"), ("size_limit_mb", "sync_response_seconds")
PRESENT, REMOVED = "present", "removed"
LOCAL = "%Y-%m-%dT%H:%M"

Typed = Mapping[str, str]


def typed_in(request: HttpRequest) -> dict[str, str]:
    """A tick comes with a hidden "false" before it: of two the last one counts."""
    return {name: str(value) for name, value in request.POST.items()}


def typed_as_stored(slot: Slot) -> dict[str, str]:
    until = slot.gallery_until
    typed = {
        "provider": slot.provider,
        "operation": slot.operation,
        "display_name": slot.display_name,
        "is_active": TRUE if slot.is_active else FALSE,
        "size_limit_mb": str(slot.size_limit_mb),
        "sync_response_seconds": str(slot.sync_response_seconds or ""),
        "on_failure": slot.on_failure,
        "gallery_enabled": TRUE if slot.gallery_enabled else FALSE,
        "gallery_until": localtime(until).strftime(LOCAL) if until else "",
        "version": str(slot.version),
    }
    driver = DRIVERS.get(slot.provider)
    return typed | (typed_of(driver, slot.settings) if driver else {})


@dataclass(frozen=True, slots=True)
class Recipe:
    """Provider, operation, and the controls of the two; ``kept`` are those not shown now."""

    driver: ProviderDriver[Any]
    operation: str
    controls: list[Control]
    kept: list[tuple[str, str]]

    @property
    def providers(self) -> list[tuple[str, str]]:
        return [(driver.name, driver.title) for driver in DRIVERS.values()]

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(name, _(title)) for name, title in self.driver.operations.items()]

    @property
    def main(self) -> list[Control]:
        return [one for one in self.controls if self._is_main(one)]

    @property
    def more(self) -> list[Control]:
        return [one for one in self.controls if not self._is_main(one)]

    def _is_main(self, one: Control) -> bool:
        return one.required or one.place in ("settings.prompt", "settings.model") or bool(one.error)


def recipe_of(typed: Typed) -> Recipe:
    """What was typed for another provider stays, and comes back with it."""
    driver = DRIVERS.get(typed.get("provider", ""), next(iter(DRIVERS.values())))
    operation = typed.get("operation", "")
    if operation not in driver.operations:
        operation = next(iter(driver.operations))
    typed = _carried(driver, typed)
    controls = [control(driver, leaf, typed) for leaf in leaves(driver, operation)]
    shown = {one.name for one in controls}
    kept = [(n, v) for n, v in typed.items() if n.startswith("recipe-") and n not in shown]
    return Recipe(driver, operation, controls, kept)


def _carried(driver: ProviderDriver[Any], typed: Typed) -> dict[str, str]:
    """Where nothing was typed for this provider yet, the prompt of the other one serves."""
    carried = dict(typed)
    for leaf in every_leaf(driver):
        name = input_name(driver.name, leaf)
        if leaf.place == "prompt" and not carried.get(name):
            others = (typed.get(f"recipe-{one}-prompt", "") for one in DRIVERS)
            carried[name] = next(filter(None, others), "")
    return carried


def own_controls(typed: Typed) -> dict[str, Control]:
    """The columns that every slot has, whatever its provider."""
    found = {}
    for name in OWN:
        column: Any = Slot._meta.get_field(name)
        found[name] = Control(
            place=name,
            name=name,
            kind="tick" if name in CHECKED else "number" if name in NUMBERS else "text",
            label=capfirst(str(column.verbose_name)),
            help=str(column.help_text),
            value=typed.get(name, ""),
        )
    found["is_active"].label = _("Takes photos")
    found["display_name"].bounds = {"maxlength": 100}
    found["display_name"].help = _("It is the slot's name in the list of slots.")
    found["size_limit_mb"].bounds = {"min": 1, "max": 20}
    found["sync_response_seconds"].bounds = {"min": 10, "max": 60}
    found["on_failure"].kind = "choice"
    found["on_failure"].choices = [(k, str(words)) for k, words in Slot.OnFailure.choices]
    return found


# --- Reading -------------------------------------------------------------------------------------
def read_slot_form(request: HttpRequest, slot: Slot) -> SlotIn:
    """Raises InvalidFields, by the names of a slot's fields."""
    typed = typed_in(request)
    wrong: FieldMessages = {}
    values: dict[str, Any] = {
        name: typed[name] for name in ("provider", "operation", "display_name") if name in typed
    }
    values |= {name: typed[name] == TRUE for name in CHECKED if name in typed}
    for name in NUMBERS:
        text = typed.get(name, "").strip()
        if text or name == "sync_response_seconds":
            values[name] = int(text) if text.isdecimal() and len(text) < 9 else text or None
    if "on_failure" in typed:
        values["on_failure"] = typed["on_failure"]
    if "gallery_until" in typed:
        values["gallery_until"] = _moment(typed["gallery_until"], wrong)
    values |= _password(typed)
    values["settings"] = _settings(typed, slot, wrong)
    if "templates" in typed:
        values["template_media"] = templates_in(request)
    if (version := typed.get("take_over") or typed.get("version", "")).isdecimal():
        values["version"] = int(version)
    try:
        change = SlotIn.model_validate(values)
    except ValidationError as exc:
        wrong |= messages_by_field(exc.errors(include_url=False, include_input=False))
    if wrong:  # all at once, though the recipe is judged with the whole slot otherwise
        raise InvalidFields(_recipe_errors(values) | wrong)
    return change


def _recipe_errors(values: dict[str, Any]) -> FieldMessages:
    driver = DRIVERS.get(values.get("provider", ""))
    if driver is None or not (values["settings"] or values.get("is_active")):
        return {}
    try:
        driver.Settings.model_validate(values["settings"])
    except ValidationError as exc:
        found = exc.errors(include_url=False, include_input=False)
        return messages_by_field(found, prefix="settings")
    return {}


def _moment(text: str, wrong: FieldMessages) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        wrong["gallery_until"] = DATE
        return None
    return make_aware(moment) if is_naive(moment) else moment


def _password(typed: Typed) -> dict[str, str]:
    """Empty: stays as it is."""
    if typed.get("password_removed") == TRUE:
        return {"ingest_password": ""}
    given = typed.get("ingest_password", "")
    return {"ingest_password": given} if given else {}


def _settings(typed: Typed, slot: Slot, wrong: FieldMessages) -> dict[str, Any]:
    driver = DRIVERS.get(typed.get("provider", slot.provider))
    if driver is None:
        return {}  # told by the provider's own field
    stored = slot.settings if slot.provider == driver.name else {}
    try:
        return settings_of(driver, typed.get("operation", slot.operation), typed, stored)
    except InvalidFields as exc:
        wrong |= exc.fields
        return {}


def templates_in(request: HttpRequest) -> list[dict[str, str]]:
    """Those that are to stay, in the order of the page."""
    rows = zip(
        request.POST.getlist("template_id"),
        request.POST.getlist("template_kind"),
        request.POST.getlist("template_status"),
        strict=False,
    )
    return [
        {"media_object_id": media_id, "media_kind": kind}
        for media_id, kind, status in rows
        if status == PRESENT
    ]


def mark(controls: Iterable[Control], fields: FieldMessages) -> FieldMessages:
    """Put each sentence beside its control; those without one are left over."""
    left = dict(fields)
    is_first = True
    for one in controls:
        inner = [place for place in left if place == one.place or place.startswith(f"{one.place}.")]
        for place in inner:
            one.error = one.error or str(left.pop(place))
        if one.error and is_first:
            one.is_first_error, is_first = True, False
    return left
