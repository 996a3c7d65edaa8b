"""What an event puts into a slot: a recipe as it was once, kept with its template pictures."""

import copy
from typing import Any
from uuid import UUID

from photochanger.db import clock
from slots.editing import COPIED, count_lost_templates, delete_unused_templates
from slots.events.models import Event, EventSlot, EventTemplate
from slots.history.records import RESERVES, TEMPLATES, get_state
from slots.models import Slot
from slots.schemas import SlotIn
from slots.services import find_obstacles
from slots.validation_messages import FieldMessages

RECIPE = (*COPIED, TEMPLATES, RESERVES)


def remember_recipe(event_slot: EventSlot) -> None:
    """As the slot is now. In a transaction."""
    state = get_state(Slot.objects.prefetch_related(RESERVES).get(pk=event_slot.slot_id))
    event_slot.recipe = {name: state[name] for name in RECIPE}
    event_slot.recipe_at = clock.now()
    event_slot.save(update_fields=["recipe", "recipe_at"])
    _bind_templates(event_slot)


def forget_recipe(event_slot: EventSlot) -> None:
    """From now on the slot stays as it is when the event starts. In a transaction."""
    event_slot.recipe, event_slot.recipe_at = None, None
    event_slot.save(update_fields=["recipe", "recipe_at"])
    _bind_templates(event_slot)


def copy_recipe(source: EventSlot, target: EventSlot) -> None:
    target.recipe, target.recipe_at = source.recipe, source.recipe_at
    target.save(update_fields=["recipe", "recipe_at"])
    _bind_templates(target)


def _bind_templates(event_slot: EventSlot) -> None:
    """Of its recipe; those that nothing uses any more are deleted."""
    before = set(event_slot.templates.values_list("media_object_id", flat=True))
    wanted = {UUID(one["media_object_id"]) for one in (event_slot.recipe or {}).get(TEMPLATES, ())}
    event_slot.templates.all().delete()
    rows = [EventTemplate(event_slot=event_slot, media_object_id=key) for key in sorted(wanted)]
    EventTemplate.objects.bulk_create(rows)
    delete_unused_templates(before - wanted)


def build_change(event: Event, event_slot: EventSlot) -> SlotIn:
    """What the start of the event does to the slot: it is switched on, whatever else it gets."""
    values: dict[str, Any] = dict(event_slot.recipe or {})
    if count_lost_templates(event_slot.slot_id, values.get(TEMPLATES, [])):
        values.pop(TEMPLATES)  # as when an earlier state comes back: those of now stay
    values["is_active"] = True
    if event.gallery_mode:
        values |= {"gallery_mode": event.gallery_mode, "gallery_until": None}
    return SlotIn.model_validate(values)


def find_recipe_problems(event_slot: EventSlot) -> FieldMessages:
    """Why no photo could be made with it, by field. No query for a slot that is loaded with its
    template pictures."""
    slot, kinds = event_slot.slot, None
    if event_slot.recipe:
        slot = copy.copy(slot)
        for name in COPIED:
            setattr(slot, name, event_slot.recipe.get(name, getattr(slot, name)))
        kinds = [one["media_kind"] for one in event_slot.recipe.get(TEMPLATES, ())]
    return find_obstacles(slot, kinds)
