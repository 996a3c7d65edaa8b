"""What guests' pages of single pictures look like, and offer."""

from media.guests.look import GuestLook
from media.models import MediaObject
from slots.letters.access import serves_guests
from slots.models import Slot


def find_guest_look(media: MediaObject) -> GuestLook:
    """Only what was set for guests: the working name is none of theirs. Two queries."""
    titles = Slot.objects.filter(pk=media.slot_id).values_list("public_title", flat=True)
    return GuestLook(title=next(iter(titles), ""), offers_letters=serves_guests())
