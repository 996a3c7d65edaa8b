"""Events as administrators plan them: made, changed, copied, and dropped before they start."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.db import transaction
from django.utils.translation import gettext as _

from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import InvalidFields
from slots.editing import delete_unused_templates
from slots.events.logos import delete_unused_logo, keep_logo
from slots.events.models import Event, EventSlot
from slots.events.recipes import copy_recipe, forget_recipe, remember_recipe
from slots.events.running import lock_event, mark_removed, release_slot, take_slot
from slots.events.trail import write_event_entry

COPIED = ("name", "public_title", "accent_colour", "background_colour", "gallery_mode", "note")
EDITED = (*COPIED, "starts_at", "ends_at")
NO_FIELDS: Collection[str] = ()


@transaction.atomic
def save_event(
    event: Event,
    slot_ids: Collection[str],
    *,
    by: str,
    changed: Collection[str] = NO_FIELDS,
    logo: MediaObject | None = None,
    drops_logo: bool = False,
) -> Event:
    """With these slots; those of a running event begin, or stop, to work for it at once.

    Only what is typed is written, so that a start or an end of meanwhile stays. Returns it as it
    is stored. ``changed``: the English names of fields, for the trail. ``logo``: as ``store_logo``
    has stored it. Raises InvalidFields by slot; "" when the event is over meanwhile.
    """
    is_new = event.pk is None
    if is_new:
        event.save()
    stored = lock_event(event.pk)
    if stored.closed_at is not None:
        words = _("It is over meanwhile, and is not changed any more. Copy it for the next one.")
        raise InvalidFields({"": words})
    for name in EDITED:
        setattr(stored, name, getattr(event, name))
    stored.save(update_fields=EDITED)
    if logo is not None or drops_logo:
        _change_logo(stored, logo)
    _change_slots(stored, slot_ids, by=by)
    if is_new or changed:
        write_event_entry(stored, *changed, by=by, flag=ADDITION if is_new else CHANGE)
    return stored


def _change_logo(event: Event, logo: MediaObject | None) -> None:
    """The one before goes when nothing has it any more."""
    before, event.logo = event.logo, logo
    event.save(update_fields=["logo"])
    if logo is not None:
        keep_logo(logo)
    if before is not None:
        delete_unused_logo(before)


def _change_slots(event: Event, wanted: Collection[str], *, by: str) -> None:
    """In one order of slots, as whoever starts or closes an event locks them."""
    links = {link.slot_id: link for link in event.get_links()}
    is_running = event.state == Event.State.RUNNING
    for slot_id in sorted(links.keys() ^ set(wanted)):
        link = links.get(slot_id)
        if link is None:
            link = EventSlot.objects.create(event=event, slot_id=slot_id)
            if is_running:
                take_slot(event, link, by=by)
        elif is_running:
            release_slot(link, by=by, switches_off=False)
            forget_recipe(link)
            mark_removed(link)
        else:
            _drop_link(link)


def _drop_link(link: EventSlot) -> None:
    pictures = list(link.templates.values_list("media_object_id", flat=True))
    link.delete()
    delete_unused_templates(pictures)


@transaction.atomic
def copy_event(source: Event, *, by: str) -> Event:
    """The next one, from now on for as long as the other was planned: its look, its slots with
    their recipes. Whoever is told is copied by the caller: this app does not know them."""
    begins_at = clock.now().replace(second=0, microsecond=0)
    copied = {name: getattr(source, name) for name in COPIED}
    event = Event.objects.create(
        **copied,
        logo=_find_kept(source.logo),
        starts_at=begins_at,
        ends_at=begins_at + (source.ends_at - source.starts_at),
    )
    for link in source.get_links():
        copy_recipe(link, EventSlot.objects.create(event=event, slot_id=link.slot_id))
    write_event_entry(event, by=by, flag=ADDITION)
    return event


def _find_kept(logo: MediaObject | None) -> MediaObject | None:
    return logo if logo is not None and not logo.is_over(clock.now()) else None


@transaction.atomic
def delete_planned_event(event: Event, *, by: str) -> bool:
    """False when it has started meanwhile: then there may be photos, and it is purged instead."""
    locked = lock_event(event.pk)
    if locked.state != Event.State.PLANNED:
        return False
    for link in locked.event_slots.all():
        _drop_link(link)
    write_event_entry(locked, by=by, flag=DELETION)
    logo = locked.logo
    locked.delete()
    if logo is not None:
        delete_unused_logo(logo)
    return True


@transaction.atomic
def change_recipe(event_id: int, slot_id: str, *, keeps: bool) -> bool:
    """The slot's recipe of now is remembered, or forgotten; False when the event is not planned.

    Raises EventSlot.DoesNotExist.
    """
    event = lock_event(event_id)
    link = event.get_links().get(slot_id=slot_id)
    if event.state != Event.State.PLANNED:
        return False
    (remember_recipe if keeps else forget_recipe)(link)
    return True


def is_late(event: Event, now: datetime) -> bool:
    """Planned to be over, and still running: nobody has closed it."""
    return event.state == Event.State.RUNNING and event.ends_at <= now
