"""Back to an earlier state of a slot, from its history."""

from dataclasses import dataclass

from django.contrib.admin.models import LogEntry

from photochanger.errors import InvalidFields
from slots.editing import apply_change, change_slot, count_lost_templates
from slots.history.records import (
    COLUMNS,
    PASSWORD,
    RESERVES,
    TEMPLATES,
    Record,
    get_state,
    read_record,
)
from slots.models import Slot
from slots.schemas import SlotIn
from slots.services import find_slot
from slots.validation_messages import FieldMessages

OF_NOW = ("on_reserve",)  # about the service as it does now, and no part of a recipe


@dataclass(frozen=True, slots=True)
class Restoration:
    """What would come of it; ``obstacles`` are why it cannot be done, field by field."""

    slot: Slot
    change: SlotIn
    becoming: Record
    version: int | None  # whose state it is
    lost_pictures: int
    had_other_password: bool
    obstacles: FieldMessages


def plan_restoration(slot_id: str, entry: LogEntry, *, before: bool) -> Restoration | None:
    """Back to the state after an entry, or before it. None for an entry that tells no state."""
    record = read_record(entry)
    if record is None:
        return None
    slot = find_slot(slot_id)
    wanted = record.was if before else record.now
    gone = count_lost_templates(slot.pk, wanted.get(TEMPLATES, []))
    # With one of them gone the recipe of then cannot come back whole: those of now stay.
    names = (*COLUMNS, RESERVES) if gone else (*COLUMNS, RESERVES, TEMPLATES)
    values = {name: wanted[name] for name in names if name in wanted and name not in OF_NOW}
    change = SlotIn.model_validate({**values, "version": slot.version})
    now = get_state(slot)
    version = record.version - 1 if before and record.version else record.version
    return Restoration(
        slot=slot,
        change=change,
        becoming=Record(was=now, now=now | values, version=None, restores=version, by=""),
        version=version,
        lost_pictures=gone,
        had_other_password=PASSWORD in record.now,
        obstacles=_find_obstacles(slot.pk, change),
    )


def _find_obstacles(slot_id: str, change: SlotIn) -> FieldMessages:
    """Judged as a save would judge it; nothing is kept."""
    try:
        apply_change(change, find_slot(slot_id))
    except InvalidFields as exc:
        return dict(exc.fields)
    return {}


def restore_slot(found: Restoration, *, seen_version: int, by: str) -> Slot:
    """Raises VersionConflict when the slot is no longer what was shown, and InvalidFields."""
    change = found.change.model_copy(update={"version": seen_version})
    return change_slot(found.slot.pk, change, by=by, restores=found.version)
