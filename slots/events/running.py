"""Events from their start to their end: which slots work for them, and with which recipes."""

from collections.abc import Mapping

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from photochanger.db import clock
from photochanger.errors import InvalidFields, Text
from slots.approval.models import ApprovalLink
from slots.editing import change_slot
from slots.events.models import Event, EventSlot
from slots.events.recipes import build_change, find_recipe_problems, remember_recipe
from slots.events.trail import write_event_entry
from slots.models import Slot
from slots.schemas import SlotIn
from slots.validation_messages import FieldMessages

log = structlog.get_logger()

STARTED, CLOSED = gettext_noop("start of the event"), gettext_noop("end of the event")


def lock_event(event_id: int) -> Event:
    """Always before its slots, and those in the order of their numbers. Raises Event.DoesNotExist
    when somebody has deleted it meanwhile."""
    return Event.objects.select_for_update(no_key=True).get(pk=event_id)


def find_start_problems(event: Event) -> FieldMessages:
    """Why it cannot start, by slot; "" for the event itself. Two queries."""
    linked = event.get_links().select_related("slot__event")
    links = list(linked.prefetch_related("slot__template_media"))
    if not links:
        return {"": _("Choose at least one slot for the event.")}
    found = {link.slot_id: _find_slot_problem(event, link) for link in links}
    return {slot_id: words for slot_id, words in found.items() if words}


def _find_slot_problem(event: Event, link: EventSlot) -> str:
    other = link.slot.event
    if other is not None and other.pk != event.pk:
        return _describe_taken(other)
    return _join(find_recipe_problems(link))


def _describe_taken(other: Event) -> str:
    words = _("It works for “%(event)s”. Close that event first, or take another slot.")
    return words % {"event": other}


@transaction.atomic
def start_event(event_id: int, *, by: str) -> Event:
    """Its slots get their recipes and are switched on; photos belong to it from now on.

    All of it or nothing. Starting twice is starting once. Raises InvalidFields, by slot.
    """
    event = lock_event(event_id)
    if event.started_at is not None:
        return event
    if problems := find_start_problems(event):
        raise InvalidFields(problems)
    for link in event.get_links().order_by("slot_id"):
        take_slot(event, link, by=by)
    event.started_at = clock.now()
    event.save(update_fields=["started_at"])
    write_event_entry(event, STARTED, by=by)
    log.info("slots.event.started", event_id=event.pk, by=by)
    return event


def take_slot(event: Event, link: EventSlot, *, by: str) -> None:
    """In a transaction that has locked the event. Raises InvalidFields, also when the slot works
    for another event: of two that want it at once, the database lets one have it."""
    free = Slot.objects.filter(Q(event=None) | Q(event=event), pk=link.slot_id)
    if not free.update(event=event):
        other = Slot.objects.select_related("event").get(pk=link.slot_id).event
        raise InvalidFields({link.slot_id: _describe_taken(other or event)})
    EventSlot.objects.filter(pk=link.pk).update(taken_at=clock.now())
    try:
        # A new version: no photo of it is answered with a picture of before.
        change_slot(link.slot_id, build_change(event, link), by=by)
    except InvalidFields as exc:
        raise InvalidFields({link.slot_id: _join(exc.fields)}) from exc


def _join(problems: Mapping[str, Text]) -> str:
    return " ".join(str(words) for words in problems.values())


def release_slot(link: EventSlot, *, by: str, switches_off: bool) -> None:
    """In a transaction that has locked the event. A photo that is on its way stays the event's.

    A slot that works for another event by now is left alone.
    """
    theirs = Slot.objects.filter(pk=link.slot_id, event=link.event_id)
    if theirs.update(event=None) and switches_off:
        change_slot(link.slot_id, SlotIn(is_active=False), by=by)


def mark_removed(link: EventSlot) -> None:
    """Out of the running event: the row stays, to tell which time was the event's."""
    EventSlot.objects.filter(pk=link.pk).update(removed_at=clock.now())


@transaction.atomic
def close_event(event_id: int, *, by: str, switches_off: bool) -> Event:
    """Its slots are free, switched off if that is wanted; recipes stay with it, to be copied."""
    event = lock_event(event_id)
    if event.state != Event.State.RUNNING:
        return event
    for link in event.get_links().order_by("slot_id"):
        if link.recipe is None:
            remember_recipe(link)
        release_slot(link, by=by, switches_off=switches_off)
    event.closed_at = clock.now()
    event.save(update_fields=["closed_at"])
    ApprovalLink.objects.filter(event=event).delete()  # who helped sees nothing any more
    write_event_entry(event, CLOSED, by=by)
    log.info("slots.event.closed", event_id=event.pk, by=by, switched_off=switches_off)
    return event
