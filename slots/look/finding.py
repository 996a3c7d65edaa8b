"""What guests' pages look like, and offer: as the event says, or else the slot."""

from django.urls import reverse

from media.guests.look import GuestLook
from media.models import MediaObject
from slots.letters.access import serves_guests
from slots.look.colours import NONE
from slots.models import Event, Slot


def find_guest_look(media: MediaObject) -> GuestLook:
    """Of one picture, as the event that it was made for has it. Three queries.

    Only what was set for guests: the working name is none of theirs.
    """
    titles = Slot.objects.filter(pk=media.slot_id).values_list("public_title", flat=True)
    title = next(iter(titles), "")
    return make_look(find_event(media.event_id), title=title, offers_letters=serves_guests())


def find_event(event_id: int | None) -> Event | None:
    return Event.objects.filter(pk=event_id).first() if event_id else None


def make_look(event: Event | None, *, title: str, offers_letters: bool = False) -> GuestLook:
    if event is None:
        return GuestLook(title=title, offers_letters=offers_letters)
    colours = [
        c.lstrip("#").lower() or NONE for c in (event.accent_colour, event.background_colour)
    ]
    return GuestLook(
        title=event.public_title or title,
        offers_letters=offers_letters,
        stylesheet=(
            reverse("api:event_colours", kwargs={"accent": colours[0], "background": colours[1]})
            if colours != [NONE, NONE]
            else ""
        ),
        logo=reverse("api:event_logo", kwargs={"logo_id": event.logo_id}) if event.logo_id else "",
    )
