"""Who did what to an event. Names of fields only: what they held may be a guest's name."""

import json
from datetime import datetime

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from slots.events.models import Event
from slots.history.records import find_author


def write_event_entry(event: Event, *fields: str, by: str, flag: int = CHANGE) -> None:
    """``fields``: English names, translated when they are read."""
    told = {"by": by, "fields": list(fields)}
    LogEntry.objects.create(
        user=find_author(by),
        content_type=ContentType.objects.get_for_model(Event),
        object_id=str(event.pk),
        object_repr=str(event)[:200],
        action_flag=flag,
        change_message=json.dumps([{"changed": told}], ensure_ascii=False),
    )


def rename_in_trail(event: Event) -> None:
    """Earlier entries tell its name of now too."""
    kind = ContentType.objects.get_for_model(Event)
    LogEntry.objects.filter(content_type=kind, object_id=str(event.pk)).update(
        object_repr=str(event)[:200]
    )


def was_made_before(event: Event, at: datetime) -> bool:
    kind = ContentType.objects.get_for_model(Event)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(event.pk))
    return entries.filter(action_flag=ADDITION, action_time__lt=at).exists()
