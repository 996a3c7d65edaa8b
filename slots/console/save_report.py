"""What saving a slot has come to, in words: when, whether it takes photos, what it still lacks."""

from collections.abc import Collection, Iterable

from django.template.defaultfilters import capfirst
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from slots.history.field_names import get_label
from slots.models import Slot
from slots.services import find_obstacles
from slots.validation_messages import REQUIRED

TEMPLATES = "template_media"


def describe_save(slot: Slot) -> str:
    """What is told once, right after saving."""
    if slot.is_active:
        return _("Saved. The slot is on: photos are made by it from now on.")
    return _("Saved. %(state)s") % {"state": describe_state(slot)}


def describe_state(slot: Slot, kinds: Collection[str] | None = None) -> str:
    """Whether it takes photos; of one that could not, why. ``kinds``: of its template pictures."""
    words = _("The slot is on.") if slot.is_active else _("The slot is off.")
    return " ".join([words, *_list_lacks(slot, kinds)])


def _list_lacks(slot: Slot, kinds: Collection[str] | None) -> Iterable[str]:
    """A sentence on all that is missing, then one on each thing that is not right."""
    state, missing, wrong = {"provider": slot.provider}, [], []
    for place, words in find_obstacles(slot, kinds).items():
        label = get_label(place, state)
        if place == TEMPLATES or str(words) == str(REQUIRED):
            missing.append(label)
        else:
            wrong.append(f"{capfirst(label)}: {words}")
    if missing:
        yield _("It is missing: %(fields)s.") % {"fields": ", ".join(missing)}
    yield from wrong


def describe_saved_at(slot: Slot) -> str:
    """When and by whom it was saved last."""
    if not slot.updated_by:
        return _("Not changed yet")
    at = timezone.localtime(slot.updated_at)
    is_today = at.date() == timezone.localdate()
    shown = date_format(at, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
    return _("Saved at %(time)s, %(by)s") % {"time": shown, "by": slot.updated_by}
