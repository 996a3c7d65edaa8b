"""A driver's settings schema as fields of a Django form.

The fields only turn text into values, and back. What the values must be like is for the driver's
pydantic class to judge, so bounds are shown here and not checked.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.base import Model, ProviderDriver
from slots.console.schema_fields import SchemaField
from slots.validation_messages import NUMBER, WHOLE_NUMBER

LONG_TEXT = 400  # characters, from which on a text has several lines
TRUE, FALSE = "true", "false"
NOT_JSON = gettext_lazy("This is not JSON.")


class Tick(forms.CheckboxInput):
    """A checkbox that sends "true"; its row has a hidden "false" before it."""

    def __init__(self) -> None:
        super().__init__(check_test=lambda value: value in (True, TRUE, "on"))

    def format_value(self, value: Any) -> str:
        return TRUE


class TickField(forms.BooleanField):
    widget = Tick

    def prepare_value(self, value: Any) -> Any:
        return {True: TRUE, False: FALSE}.get(value, value)


class BoundedInput(forms.TextInput):
    """A number as text, so that a wrong one is sent and comes back marked, with its bounds beside.

    Browsers drop what is no number from an ``input type=number``.
    """

    def __init__(self, *, least: Any = None, most: Any = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off"})
        self.least, self.most = least, most


class Lines(forms.Textarea):
    """One item per line."""


class ColorInput(forms.TextInput):
    input_type = "color"


class WholeNumberField(forms.IntegerField):
    """Shows ``min_value`` and ``max_value`` and leaves it to pydantic to insist on them."""

    default_error_messages = {"invalid": WHOLE_NUMBER}

    def __init__(self, *, min_value: Any = None, max_value: Any = None, **options: Any) -> None:
        widget = BoundedInput(least=min_value, most=max_value)
        super().__init__(**options | {"widget": widget})

    def to_python(self, value: Any) -> int | None:
        return super().to_python(_plain_number(value))


class NumberField(forms.FloatField):
    """As ``WholeNumberField``, with a comma or a point in it."""

    default_error_messages = {"invalid": NUMBER}

    def __init__(self, *, min_value: Any = None, max_value: Any = None, **options: Any) -> None:
        widget = BoundedInput(least=min_value, most=max_value)
        super().__init__(**options | {"widget": widget})

    def to_python(self, value: Any) -> Any:
        return super().to_python(_plain_number(value))


def _plain_number(value: Any) -> Any:
    return value.replace(",", ".").replace(" ", "") if isinstance(value, str) else value


class TextField(forms.CharField):
    """``max_length`` stops the typing; pydantic has the last word, in our sentences."""

    def __init__(self, *, max_length: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.limit = max_length
        if max_length and not isinstance(self.widget, forms.Textarea):
            self.widget.attrs["maxlength"] = max_length

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class LinesField(forms.Field):
    widget = Lines({"rows": 3, "cols": False})

    def to_python(self, value: Any) -> list[str]:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value


class JsonField(forms.JSONField):
    """Shows a text as it is: it was typed, or else it is stored as one."""

    default_error_messages = {"invalid": NOT_JSON}

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data


class ChosenField(forms.TypedChoiceField):
    """Shows a value that is not among the choices (any more), and lets pydantic judge it."""

    def __init__(self, *, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(choices=choices, **options)
        self.titles = dict(choices)

    def prepare_value(self, value: Any) -> Any:
        text = "" if value is None else str(value)
        return text.lower() if isinstance(value, bool) else text

    def add_choice(self, text: str) -> None:
        """Make a text one of the choices, whatever it is."""
        self.titles.setdefault(text, text)
        self.choices = list(self.titles.items())


def build_field(
    driver: ProviderDriver[Any], found: SchemaField, operation: str = ""
) -> forms.Field:
    """The Django field of a setting, with the ids that failures name it by."""
    schema = found.schema
    title = _(schema.get("title", found.name))
    if found.is_required:
        title = format_html('{} <span aria-hidden="true">*</span>', title)
    described = driver.describe_setting(operation, found.name) or schema.get("description")
    field = _choose_class(driver, found)(
        required=False,
        label=title,
        help_text=_(described) if described else "",
        initial=schema.get("default"),
    )
    if found.is_required:
        field.widget.attrs["aria-required"] = "true"
    if found.name in driver.Settings.STEERING_FIELDS:
        field.widget.attrs["class"] = "redraws"  # what is needed depends on it
    set_ids(field, f"settings.{found.name}")
    return field


def set_ids(field: forms.Field, html_id: str) -> None:
    """The id that failures name the field by, and that of the help below it."""
    field.widget.attrs["id"] = html_id
    if field.help_text or not isinstance(field, TickField):
        field.widget.attrs["aria-describedby"] = f"{html_id}-help"


def _choose_class(driver: ProviderDriver[Any], found: SchemaField) -> Callable[..., forms.Field]:
    schema = found.schema
    kind = schema.get("type")
    offered = found.name in driver.Settings.OFFERED_TEXTS
    if offered or is_model_field(driver, found) or "enum" in schema or "const" in schema:
        return partial(ChosenField, **_choices_of(driver, found))
    if kind == "boolean" and found.is_nullable:
        choices = [("", _("— not set —")), (TRUE, _("yes")), (FALSE, _("no"))]
        return partial(
            ChosenField, choices=choices, coerce=lambda text: text == TRUE, empty_value=None
        )
    if kind == "boolean":
        return TickField
    if kind in ("integer", "number"):
        bounds = {"min_value": schema.get("minimum"), "max_value": schema.get("maximum")}
        return partial(WholeNumberField if kind == "integer" else NumberField, **bounds)
    if kind == "array" and schema.get("items", {}).get("type") == "string":
        return LinesField
    if kind != "string":
        return partial(JsonField, widget=forms.Textarea({"rows": 3, "cols": False}))
    return partial(TextField, max_length=schema.get("maxLength"), widget=_text_widget(found))


def _text_widget(found: SchemaField) -> forms.Widget:
    if found.schema.get("format") == "color":
        return ColorInput({"autocomplete": "off"})
    if found.schema.get("maxLength", 0) < LONG_TEXT:
        return forms.TextInput({"autocomplete": "off"})
    is_main = found.is_required or found.name == "prompt"
    attrs = {"placeholder": _("Prompt for the AI…")} if found.name == "prompt" else {}
    return forms.Textarea({"rows": 6 if is_main else 3, "cols": False, **attrs})


def is_model_field(driver: ProviderDriver[Any], found: SchemaField) -> bool:
    return bool(driver.models) and found.name in driver.Settings.MODEL_FIELDS


def _choices_of(driver: ProviderDriver[Any], found: SchemaField) -> dict[str, Any]:
    """Arguments of a choice field: the choices, and how a chosen text becomes a value."""
    choices = [("", _("— not set —"))] if found.is_nullable else []
    if is_model_field(driver, found):
        choices += [(model.id, describe_model(model)) for model in driver.models]
        return {"choices": choices, "empty_value": None}
    if texts := driver.Settings.OFFERED_TEXTS.get(found.name):
        return {"choices": choices + [(text, text) for text in texts], "empty_value": None}
    titles = driver.Settings.CHOICE_TITLES
    values = {str(value): value for value in found.schema.get("enum", [found.schema.get("const")])}
    choices += [(text, _(titles.get(text, text))) for text in values]
    return {
        "choices": choices,
        "coerce": lambda text: values.get(text, text),
        "empty_value": None,
    }


def describe_model(model: Model) -> str:
    """A model's title, what it is good for, and the day that was announced for its end.

    Whether it has come is for the key's own list to say, and for the slot's warning.
    """
    title = f"{model.title} ({_(model.note)})" if model.note else model.title
    if model.retires_on is None:
        return title
    day = date_format(model.retires_on, "SHORT_DATE_FORMAT")
    is_over = model.retires_on <= timezone.localdate()
    words = (
        _("%(model)s — end was announced for %(day)s")
        if is_over
        else _("%(model)s — end announced, %(day)s at the earliest")
    )
    return words % {"model": title, "day": day}


def format_text(field: forms.Field, value: Any) -> str:
    """A value as an input of the field carries it."""
    return "" if value is None else str(field.prepare_value(value))
