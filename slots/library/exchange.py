"""Presets as a file: written for another installation, and read as something from outside.

No pictures are in it: a file that is passed on should hold nobody's face.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field, ValidationError

from photochanger.errors import InvalidFields
from slots.library.editing import FULL, MOST_PRESETS, PresetIn, check_recipe, store_preset
from slots.library.models import Preset
from slots.library.presets import LibraryPreset
from slots.validation_messages import FieldMessages, messages_by_field

FORMAT, VERSION = "photochanger-recipes", 1
MOST_FILE_BYTES = 1024 * 1024
NAME_TRIES = 50


class RecipesFile(BaseModel, extra="forbid", hide_input_in_errors=True):
    format: Literal["photochanger-recipes"]
    version: Literal[1]
    recipes: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_PRESETS)


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import has done, by names."""

    made: list[str]
    known: list[str]  # the same recipe under the same name was there


def write_file(presets: Iterable[LibraryPreset]) -> bytes:
    """JSON that ``read_file`` takes, for people to read too."""
    names = PresetIn.model_fields
    recipes = [{name: getattr(one, name) for name in names} for one in presets]
    content = {"format": FORMAT, "version": VERSION, "recipes": recipes}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_file(body: bytes) -> list[PresetIn]:
    """All of it, or nothing. Raises InvalidFields, by places such as ``recipes.2.name``."""
    if len(body) > MOST_FILE_BYTES:
        raise InvalidFields(
            {"file": _("The file is larger than 1 MB: this is no file of recipes.")}
        )
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as exc:  # also for what is nested too deeply
        raise InvalidFields({"file": _("This is no file of recipes: it is not JSON.")}) from exc
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidFields({"file": _("This is no file of recipes of PhotoChanger.")})
    if str(content.get("version")) != str(VERSION):  # True is 1 in Python
        words = _("The file is of another version of PhotoChanger than this one can read.")
        raise InvalidFields({"file": words})
    try:
        recipes = RecipesFile.model_validate(content).recipes
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        raise InvalidFields(messages_by_field(errors)) from exc
    return _read_recipes(recipes)


def _read_recipes(recipes: list[dict[str, Any]]) -> list[PresetIn]:
    read, wrong = [], dict[str, Any]()
    for number, values in enumerate(recipes):
        try:
            read.append(check_recipe(PresetIn.model_validate(values)))
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_input=False)
            wrong |= messages_by_field(errors, prefix=f"recipes.{number}")
        except InvalidFields as exc:
            wrong |= {f"recipes.{number}.{name}": it for name, it in exc.fields.items()}
    if wrong:
        raise InvalidFields(_take_first(wrong))
    return read


def _take_first(found: FieldMessages, most: int = 20) -> FieldMessages:
    return dict(list(found.items())[:most])


def import_presets(body: bytes, *, by: str) -> Brought:
    """Keep the presets of a file. A name that another recipe has here gets a number behind it.

    Raises InvalidFields; then nothing is kept.
    """
    # Before the transaction: SQLite writes for nobody else as long as one is open, and a file that
    # takes a second to be judged would hold up the booths.
    return _store_presets(read_file(body), by=by)


@transaction.atomic
def _store_presets(recipes: Iterable[PresetIn], *, by: str) -> Brought:
    made, known = [], []
    here = {row.name: row for row in Preset.objects.all()}
    for given in recipes:
        row = here.get(given.name)
        if row is not None and _is_same(row, given):
            known.append(given.name)
            continue
        if len(here) >= MOST_PRESETS:
            raise InvalidFields({"file": str(FULL) % {"most": MOST_PRESETS}})
        name = _find_free_name(given.name, here)
        here[name] = store_preset(given.model_copy(update={"name": name}), by=by)
        made.append(name)
    return Brought(made, known)


def _is_same(row: Preset, given: PresetIn) -> bool:
    values = given.model_dump(mode="json", exclude={"name", "description"})
    return all(getattr(row, name) == value for name, value in values.items())


def _find_free_name(name: str, taken: Iterable[str]) -> str:
    """Raises InvalidFields where nobody could tell them apart any more."""
    used = set(taken)
    for number in range(1, NAME_TRIES):
        ending = f" ({number})" if number > 1 else ""
        free = f"{name[: 100 - len(ending)]}{ending}"
        if free not in used:
            return free
    raise InvalidFields({"file": _("Too many presets have this name already.")})
