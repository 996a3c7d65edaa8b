"""A driver's settings schema as controls of a form, and what was typed into them as settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from photochanger.errors import InvalidFields
from providers.base import ProviderDriver
from slots.validation_messages import FieldMessages

Kind = Literal["text", "long", "number", "choice", "tick", "color", "lines", "json", "password"]
LONG_TEXT = 400  # characters, from which on a text has several lines
TRUE, FALSE = "true", "false"
NOT_JSON = gettext_noop("This is not JSON.")


@dataclass(slots=True, kw_only=True)
class Control:
    """One field of the page. ``place`` names it in errors, ``name`` in the form."""

    place: str
    name: str
    kind: Kind
    label: str
    help: str = ""
    value: str = ""
    choices: list[tuple[str, str]] = field(default_factory=list)
    bounds: dict[str, Any] = field(default_factory=dict)  # HTML's: min, max, step, maxlength
    required: bool = False
    error: str = ""
    is_first_error: bool = False

    @property
    def html_id(self) -> str:
        """A setting is found by its place, wherever a failure names it."""
        return self.place if self.place.startswith("settings.") else f"id_{self.place}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting that is no object: ``path`` leads to it."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    required: bool
    nullable: bool

    @property
    def place(self) -> str:
        return ".".join(self.path)


def leaves(driver: ProviderDriver[Any], operation: str) -> list[Leaf]:
    """Those of an operation, its most important ones first; of nested objects the inner ones."""
    schema = driver.Settings.model_json_schema()
    wanted = driver.settings_for(operation)
    found = _leaves(schema, schema.get("$defs", {}), ())
    shown = [leaf for leaf in found if leaf.path[0] in wanted]
    own = driver.Settings.__annotations__  # a driver's own before those of every driver
    return sorted(shown, key=lambda leaf: (leaf.path[0] != "prompt", leaf.path[0] not in own))


def _leaves(schema: dict[str, Any], defs: dict[str, Any], path: tuple[str, ...]) -> list[Leaf]:
    found: list[Leaf] = []
    for name, described in schema["properties"].items():
        options = described.get("anyOf", [described])
        kinds = [_resolved(one, defs) for one in options if one.get("type") != "null"]
        one = described | kinds[0] | {k: described[k] for k in WORDS if k in described}
        if "properties" in one:
            found += _leaves(one, defs, (*path, name))
            continue
        one = one if len(kinds) == 1 else described | {"type": "any"}
        is_needed = name in schema.get("required", ())
        found.append(Leaf((*path, name), one, is_needed, len(kinds) < len(options)))
    return found


WORDS = ("title", "description", "default")


def _resolved(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref") or next((o["$ref"] for o in schema.get("allOf", ())), None)
    return defs[reference.rsplit("/", 1)[1]] if reference else schema


def control(driver: ProviderDriver[Any], leaf: Leaf, typed: Mapping[str, str]) -> Control:
    schema, name = leaf.schema, input_name(driver.name, leaf)
    kind = _kind(driver, leaf)
    title, described = schema.get("title", leaf.place), schema.get("description")
    value = typed[name] if name in typed else as_text(schema.get("default"), kind)
    bounds = {"min": "minimum", "max": "maximum", "maxlength": "maxLength"}
    found = {html: schema[word] for html, word in bounds.items() if word in schema}
    if schema.get("type") == "number":
        found["step"] = "any"
    return Control(
        place=f"settings.{leaf.place}",
        name=name,
        kind=kind,
        label=_(title),
        help=_(described) if described else "",
        value=value,
        choices=_choices(driver, leaf, value) if kind == "choice" else [],
        bounds=found,
        required=leaf.required,
    )


def input_name(provider: str, leaf: Leaf) -> str:
    return f"recipe-{provider}-{leaf.place}"


def _kind(driver: ProviderDriver[Any], leaf: Leaf) -> Kind:
    schema = leaf.schema
    of = schema.get("type")
    if "enum" in schema or "const" in schema or _is_model(driver, leaf):
        return "choice"
    if of == "boolean":
        return "choice" if leaf.nullable else "tick"
    if of in ("integer", "number"):
        return "number"
    if of == "array" and schema.get("items", {}).get("type") == "string":
        return "lines"
    if of != "string":
        return "json"
    if schema.get("format") == "color":
        return "color"
    return "long" if schema.get("maxLength", 0) >= LONG_TEXT else "text"


def _is_model(driver: ProviderDriver[Any], leaf: Leaf) -> bool:
    return bool(driver.models) and leaf.path[-1] in driver.Settings.MODEL_FIELDS


def _choices(driver: ProviderDriver[Any], leaf: Leaf, value: str) -> list[tuple[str, str]]:
    found = [("", _("— not set —"))] if leaf.nullable else []
    if leaf.schema.get("type") == "boolean":
        return [*found, (TRUE, _("yes")), (FALSE, _("no"))]
    if _is_model(driver, leaf):
        found += [(model.id, model_title(model)) for model in driver.models]
    else:
        allowed = leaf.schema.get("enum", [leaf.schema.get("const")])
        found += [
            (str(one), _(driver.Settings.CHOICE_TITLES.get(str(one), str(one)))) for one in allowed
        ]
    if value not in dict(found):  # a model that the catalogue does not know (any more)
        found.append((value, value))
    return found


def model_title(model: Any) -> str:
    if model.retires_on is None:
        return str(model.title)
    day = date_format(model.retires_on, "SHORT_DATE_FORMAT")
    is_over = model.retires_on <= timezone.localdate()
    words = _("%(model)s — retired on %(day)s") if is_over else _("%(model)s — until %(day)s")
    return words % {"model": model.title, "day": day}


def as_text(value: Any, kind: Kind) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if kind == "lines":
        return "\n".join(map(str, value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def typed_of(driver: ProviderDriver[Any], settings: Mapping[str, Any]) -> dict[str, str]:
    """Stored settings as if they had been typed, for every operation of the driver."""
    typed: dict[str, str] = {}
    for leaf in every_leaf(driver):
        found: Any = settings
        for name in leaf.path:
            found = found.get(name, MISSING) if isinstance(found, Mapping) else MISSING
        if found is not MISSING:
            typed[input_name(driver.name, leaf)] = as_text(found, _kind(driver, leaf))
    return typed


MISSING = object()


def every_leaf(driver: ProviderDriver[Any]) -> list[Leaf]:
    schema = driver.Settings.model_json_schema()
    return _leaves(schema, schema.get("$defs", {}), ())


def settings_of(
    driver: ProviderDriver[Any], operation: str, typed: Mapping[str, str], stored: dict[str, Any]
) -> dict[str, Any]:
    """What was typed, for pydantic to judge. A default that nobody set stays unsaid.

    Raises InvalidFields for what is no JSON.
    """
    before = typed_of(driver, stored)
    settings: dict[str, Any] = {}
    wrong: FieldMessages = {}
    for leaf in leaves(driver, operation):
        name, kind = input_name(driver.name, leaf), _kind(driver, leaf)
        default = as_text(leaf.schema.get("default"), kind)
        text = typed.get(name, default).replace("\r\n", "\n").strip()
        if text == default and name not in before:
            continue
        if text == "":
            if leaf.nullable and default:
                _put(settings, leaf.path, None)
            continue
        try:
            _put(settings, leaf.path, _value(leaf, kind, text))
        except json.JSONDecodeError:
            wrong[f"settings.{leaf.place}"] = _(NOT_JSON)
    if wrong:
        raise InvalidFields(wrong)
    return settings


def _value(leaf: Leaf, kind: Kind, text: str) -> Any:
    """Numbers and yes or no stay text: pydantic reads them, and tells what is wrong."""
    if kind == "number":
        return text.replace(",", ".").replace(" ", "")
    if kind == "lines":
        return [line.strip() for line in text.split("\n") if line.strip()]
    if kind == "json":
        return json.loads(text)
    if kind == "tick" or leaf.schema.get("type") == "boolean":
        return text == TRUE
    if kind == "choice":
        return next((one for one in leaf.schema.get("enum", ()) if str(one) == text), text)
    return text


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *way, last = path
    for name in way:
        settings = settings.setdefault(name, {})
    settings[last] = value
