"""An earlier state of a slot, brought back as a change like any other: what still exists of it."""

from dataclasses import dataclass

from django.contrib.admin.models import LogEntry

from photochanger.errors import InvalidFields
from slots.editing import apply, change_slot, lost_templates
from slots.history.records import COLUMNS, PASSWORD, TEMPLATES, Record, read, state_of
from slots.models import Slot
from slots.schemas import SlotIn
from slots.services import find_slot
from slots.validation_messages import Fields


@dataclass(frozen=True, slots=True)
class Restoration:
    """What would come of it; ``obstacles`` are why it cannot be done, field by field."""

    slot: Slot
    change: SlotIn
    becoming: Record
    version: int | None  # whose state it is
    lost_pictures: int
    had_other_password: bool
    obstacles: Fields


def restoration(slot_id: str, entry: LogEntry, *, before: bool) -> Restoration | None:
    """Back to the state after an entry, or before it. None for an entry that tells no state."""
    record = read(entry)
    if record is None:
        return None
    slot = find_slot(slot_id)
    wanted = record.was if before else record.now
    gone = lost_templates(slot.pk, wanted.get(TEMPLATES, []))
    # With one of them gone the recipe of then cannot come back whole: those of now stay.
    names = COLUMNS if gone else (*COLUMNS, TEMPLATES)
    values = {name: wanted[name] for name in names if name in wanted}
    change = SlotIn.model_validate({**values, "version": slot.version})
    now = state_of(slot)
    version = record.version - 1 if before and record.version else record.version
    return Restoration(
        slot=slot,
        change=change,
        becoming=Record(was=now, now=now | values, version=None, restores=version, by=""),
        version=version,
        lost_pictures=gone,
        had_other_password=PASSWORD in record.now,
        obstacles=_obstacles(slot.pk, change),
    )


def _obstacles(slot_id: str, change: SlotIn) -> Fields:
    """Judged as a save would judge it; nothing is kept."""
    try:
        apply(change, find_slot(slot_id))
    except InvalidFields as exc:
        return dict(exc.fields)
    return {}


def restore(found: Restoration, *, seen_version: int, by: str) -> Slot:
    """Raises VersionConflict when the slot is no longer what was shown, and InvalidFields."""
    change = found.change.model_copy(update={"version": seen_version})
    return change_slot(found.slot.pk, change, by=by, restores=found.version)
