"""Events as administrators plan them: made, changed, copied, and dropped before they start."""

from collections.abc import Collection
from datetime import datetime

from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.db import transaction

from media.models import MediaObject
from photochanger.db import clock
from slots.editing import delete_unused_templates
from slots.events.logos import delete_unused_logo, store_logo
from slots.events.models import Event, EventSlot
from slots.events.recipes import copy_recipe
from slots.events.running import lock_event, release_slot, take_slot
from slots.events.trail import write_event_entry
from slots.uploads import Upload

COPIED = ("name", "public_title", "accent_colour", "background_colour", "gallery_mode", "note")
NO_FIELDS: Collection[str] = ()


@transaction.atomic
def save_event(
    event: Event,
    slot_ids: Collection[str],
    *,
    by: str,
    changed: Collection[str] = NO_FIELDS,
    logo: Upload | None = None,
    drops_logo: bool = False,
) -> Event:
    """With these slots; those of a running event begin, or stop, to work for it at once.

    ``changed``: the English names of fields, for the trail. Raises InvalidFields by slot, and
    what ``store_logo`` raises.
    """
    is_new = event.pk is None
    before = event.logo
    if logo is not None:
        event.logo = store_logo(logo, by=by)
    elif drops_logo:
        event.logo = None
    event.save()
    locked = lock_event(event.pk)
    _change_slots(locked, slot_ids, by=by)
    if before is not None and event.logo_id != before.pk:
        delete_unused_logo(before)
    if is_new or changed:
        write_event_entry(event, *changed, by=by, flag=ADDITION if is_new else CHANGE)
    return event


def _change_slots(event: Event, wanted: Collection[str], *, by: str) -> None:
    links = {link.slot_id: link for link in event.event_slots.all()}
    is_running = event.state == Event.State.RUNNING
    for slot_id in sorted(links.keys() - set(wanted)):
        if is_running:
            release_slot(slot_id, by=by, switches_off=False)
        _drop_link(links[slot_id])
    for slot_id in sorted(set(wanted) - links.keys()):
        link = EventSlot.objects.create(event=event, slot_id=slot_id)
        if is_running:
            take_slot(event, link, by=by)


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
    for link in source.event_slots.all():
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


def is_late(event: Event, now: datetime) -> bool:
    """Planned to be over, and still running: nobody has closed it."""
    return event.state == Event.State.RUNNING and event.ends_at <= now
