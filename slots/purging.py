"""The deletion of everything that is stored, as an act that the history keeps."""

from media import deletion
from media.deletion import Removed
from slots.history.records import write_removal
from slots.services import find_slot


def purge(slot_id: str | None, *, by: str) -> Removed:
    """All results, previews and test photos of a slot, or of all. Raises SlotNotFound."""
    slot = find_slot(slot_id) if slot_id is not None else None
    removed = deletion.purge(slot_id, by=by)
    write_removal(slot, removed.files, by=by)
    return removed
