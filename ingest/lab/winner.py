"""The recipe that has won goes into a slot, and its run stays with that version of it."""

from typing import Any

import structlog
from django.db import transaction

from ingest.lab.keeping import keep_run
from ingest.models import LabRecipe
from slots.editing import change_slot, copy_templates
from slots.library.editing import is_named_by_library
from slots.library.presets import find_preset
from slots.models import Slot
from slots.prints.frames import list_frames, list_sent_templates
from slots.schemas import SlotIn, TemplateMediaIn
from slots.services import find_slot

log = structlog.get_logger()


def take_recipe(recipe: LabRecipe, slot_id: str, *, version: int, by: str) -> Slot:
    """``version``: of the slot, as it was when somebody agreed to lose what it has.

    Raises SlotNotFound, VersionConflict, InvalidFields, MediaNotFound, StorageError.
    """
    slot = find_slot(slot_id)
    values = {
        "provider": recipe.provider,
        "operation": recipe.operation,
        "settings": recipe.settings,
        "version": version,
        **_list_other_columns(recipe, slot),
    }
    if replaces_templates(recipe, slot_id):
        values["template_media"] = _choose_templates(recipe, slot)
    change = SlotIn.model_validate(values)
    with transaction.atomic():
        slot = change_slot(slot_id, change, by=by, lab_run=recipe.run_id)
        taken = {"taken_slot": slot.pk, "taken_version": slot.version}
        LabRecipe.objects.filter(pk=recipe.pk).update(**taken)
        keep_run(recipe.run)
    log.info("lab.recipe.taken", run=recipe.run_id, slot=slot.pk, version=slot.version, by=by)
    return slot


def _choose_templates(recipe: LabRecipe, slot: Slot) -> list[TemplateMediaIn]:
    """Those of the slot by which the recipe was tried, or none; the print's frame stays.

    Raises MediaNotFound, StorageError.
    """
    sent = list_sent_templates(recipe.slot) if recipe.uses_templates else []
    return [*copy_templates(sent, slot.pk), *list_frames(slot)]


def replaces_templates(recipe: LabRecipe, slot_id: str) -> bool:
    """Whether the slot loses the template pictures that it sends: it gets those of the slot by
    which the recipe was tried, or none."""
    return slot_id != recipe.slot_id or not recipe.uses_templates


def _list_other_columns(recipe: LabRecipe, slot: Slot) -> dict[str, Any]:
    """What goes with the recipe into this slot; a slot's own has it where it was tried."""
    source = recipe.slot
    if not recipe.preset:
        is_same = slot.pk == source.pk
        return {} if is_same else {"variables": source.variables, "face_style": source.face_style}
    values = {"variables": recipe.variables, "face_style": recipe.face_style}
    preset = find_preset(recipe.preset)
    if preset is not None and is_named_by_library(slot):
        values["display_name"] = preset.name
    return values
