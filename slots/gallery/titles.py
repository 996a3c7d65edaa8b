"""The title of a slot's pictures, for guests' pages of single pictures."""

from slots.models import Slot


def find_public_title(slot_id: str) -> str:
    """Only what was set for guests: the working name is none of theirs. One query."""
    titles = Slot.objects.filter(pk=slot_id).values_list("public_title", flat=True)
    return next(iter(titles), "")
