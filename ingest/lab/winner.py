"""The recipe that has won goes into a slot, and its run stays with that version of it."""

import structlog
from django.db import transaction

from ingest.lab.keeping import keep_run
from ingest.models import LabRecipe
from slots.editing import change_slot, copy_templates
from slots.models import Slot
from slots.schemas import SlotIn

log = structlog.get_logger()


def take_recipe(recipe: LabRecipe, slot_id: str, *, version: int, by: str) -> Slot:
    """``version``: of the slot, as it was when somebody agreed to lose what it has.

    Into another slot than the one it was tried by, that one's template pictures and variables go
    with it. Raises SlotNotFound, VersionConflict, InvalidFields, MediaNotFound, StorageError.
    """
    values = {
        "provider": recipe.provider,
        "operation": recipe.operation,
        "settings": recipe.settings,
        "version": version,
    }
    source = recipe.slot
    if slot_id != source.pk:
        values |= {
            "variables": source.variables,
            "face_style": source.face_style,
            "template_media": copy_templates(source, slot_id),
        }
    change = SlotIn.model_validate(values)
    with transaction.atomic():
        slot = change_slot(slot_id, change, by=by, lab_run=recipe.run_id)
        taken = {"taken_slot": slot.pk, "taken_version": slot.version}
        LabRecipe.objects.filter(pk=recipe.pk).update(**taken)
        keep_run(recipe.run)
    log.info("lab.recipe.taken", run=recipe.run_id, slot=slot.pk, version=slot.version, by=by)
    return slot
