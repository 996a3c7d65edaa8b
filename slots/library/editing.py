"""One's own presets: made, changed, deleted; and any preset put into a slot."""

import re
from typing import Annotated, Any

import orjson
import structlog
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import AfterValidator, BaseModel, Field
from pydantic import ValidationError as WrongValues

from photochanger.db import clock
from photochanger.errors import InvalidFields
from slots.editing import change_slot
from slots.library.built_in import load_built_in
from slots.library.models import Preset
from slots.library.presets import LibraryPreset, make_key
from slots.library.samples import drop_sample
from slots.models import Slot
from slots.prints.frames import list_frames, list_sent_templates
from slots.prompts.variables import Line, PromptVariables, dump_variables
from slots.schemas import SlotIn
from slots.services import find_slot
from slots.validation_messages import REQUIRED, messages_by_field, model_messages_by_field

log = structlog.get_logger()

MOST_PRESETS = 200
MOST_BYTES = 20_000  # of one recipe, as JSON
TAKEN = _("There is a preset of this name already. Choose another one.")
FULL = _("There are %(most)d presets already. Delete one that nobody needs.")


def _be_storable(settings: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL keeps no NUL; and nobody's recipe is a book."""
    try:
        written = orjson.dumps(settings)
    except orjson.JSONEncodeError as exc:  # it reads deeper than it writes
        raise ValueError(gettext_noop("nested too deeply")) from exc
    if b"\\u0000" in written or len(written) > MOST_BYTES:
        raise ValueError(gettext_noop("20,000 bytes at most, and no control characters"))
    return settings


class PresetIn(BaseModel, extra="forbid", hide_input_in_errors=True):
    """A preset as it is made or brought in. Its recipe is judged by ``check_recipe``."""

    name: Line = Field(max_length=100)
    description: Line = Field("", max_length=200)
    provider: str = Field(max_length=30)
    operation: str = Field(max_length=50)
    settings: Annotated[dict[str, Any], AfterValidator(_be_storable)]
    variables: PromptVariables = Field(default_factory=list)
    is_drawn: bool = False
    uses_templates: bool = False


def check_recipe(given: PresetIn) -> PresetIn:
    """The same with its settings as they are stored. Raises InvalidFields, by its fields."""
    if not given.name:
        raise InvalidFields({"name": REQUIRED})
    slot = Slot(
        provider=given.provider,
        operation=given.operation,
        settings=given.settings,
        variables=dump_variables(given.variables),
        is_active=True,  # an empty recipe is none
    )
    try:
        slot.clean()
    except ValidationError as exc:
        raise InvalidFields(model_messages_by_field(exc)) from exc
    return given.model_copy(update={"settings": slot.settings})


def make_preset(given: PresetIn, *, by: str) -> Preset:
    """Raises InvalidFields; then nothing is kept."""
    return store_preset(check_recipe(given), by=by)


def store_preset(given: PresetIn, *, by: str) -> Preset:
    """One that was checked. Raises InvalidFields where there are too many, or its name is taken."""
    if Preset.objects.count() >= MOST_PRESETS:
        words = str(FULL) % {"most": MOST_PRESETS}
        raise InvalidFields({"name": words})
    values = given.model_dump(mode="json")
    try:
        with transaction.atomic():
            row = Preset.objects.create(**values, made_at=clock.now(), made_by=by)
    except IntegrityError as exc:  # two at once, or a name that is there: the database decides
        raise InvalidFields({"name": TAKEN}) from exc
    log.info("slots.preset.made", preset=make_key(row), by=by)
    return row


def make_preset_of_slot(slot: Slot, *, name: str, description: str, by: str) -> Preset:
    """The slot's recipe, as ``slot`` has it, saved or not. Raises InvalidFields."""
    return make_preset(
        read_preset(
            name=name,
            description=description,
            provider=slot.provider,
            operation=slot.operation,
            settings=slot.settings,
            variables=slot.variables,
            is_drawn=slot.face_style == Slot.FaceStyle.DRAWN,
            uses_templates=bool(list_sent_templates(slot)),
        ),
        by=by,
    )


def rename_preset(own_id: int, *, name: str, description: str, by: str) -> None:
    """Raises InvalidFields. Of one that is gone nothing is done."""
    row = Preset.objects.filter(pk=own_id).first()
    if row is None:
        return
    names = ("provider", "operation", "settings", "variables")
    given = {one: getattr(row, one) for one in names}
    checked = read_preset(name=name, description=description, **given)
    if not checked.name:
        raise InvalidFields({"name": REQUIRED})
    row.name, row.description = checked.name, checked.description
    try:
        with transaction.atomic():
            row.save(update_fields=["name", "description"])
    except IntegrityError as exc:
        raise InvalidFields({"name": TAKEN}) from exc
    log.info("slots.preset.renamed", preset=make_key(row), by=by)


def delete_preset(preset: LibraryPreset, *, by: str) -> None:
    """One's own, and the picture that is kept of it; slots that were made of it stay."""
    with transaction.atomic():
        Preset.objects.filter(pk=preset.own_id or 0).delete()
        drop_sample(preset.key, by=by)
    log.info("slots.preset.deleted", preset=preset.key, by=by)


def read_preset(**values: Any) -> PresetIn:
    """Raises InvalidFields."""
    try:
        return PresetIn.model_validate(values)
    except WrongValues as exc:
        found = exc.errors(include_url=False, include_input=False)
        raise InvalidFields(messages_by_field(found)) from exc


def fill_recipe(preset: LibraryPreset, slot: Slot) -> dict[str, Any]:
    """The columns of the slot that have other values with this preset in it."""
    is_same = (slot.provider, slot.operation) == (preset.provider, preset.operation)
    return {
        "provider": preset.provider,
        "operation": preset.operation,
        "settings": preset.merge(slot.settings if is_same else {}),
        "variables": preset.variables,
        "face_style": preset.face_style,
    }


def build_change(preset: LibraryPreset, slot: Slot) -> SlotIn:
    """What of the slot becomes another with this preset in it. Two queries."""
    values = fill_recipe(preset, slot)
    if not preset.uses_templates:  # they belong to the recipe of before
        values["template_media"] = list_frames(slot)
    if is_named_by_library(slot):
        values["display_name"] = preset.name
    return SlotIn.model_validate(values)


def is_named_by_library(slot: Slot) -> bool:
    """Nobody has given it a name of its own: "Слот 1" is what it was born with."""
    names = {name for one in load_built_in() for name in one.names.values()}
    name = slot.display_name
    is_given = name and not re.fullmatch(r"Слот \d+", name)
    return not is_given or name in names or Preset.objects.filter(name=name).exists()


def apply_preset(preset: LibraryPreset, slot_id: str, *, version: int, by: str) -> Slot:
    """``version``: of the slot, as it was when somebody agreed to lose what it has.

    Raises SlotNotFound, VersionConflict, InvalidFields.
    """
    sent = build_change(preset, find_slot(slot_id)).model_dump(exclude_unset=True)
    return change_slot(slot_id, SlotIn.model_validate(sent | {"version": version}), by=by)
