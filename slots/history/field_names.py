"""What the fields of slots and settings are called, wherever a change of them is told."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from providers.registry import DRIVERS
from slots.models import Slot

# Those of slots that are not here are called as their columns, a recipe's as its driver says.
NAMES = {
    "is_active": gettext_noop("takes photos"),
    "ingest_password": gettext_noop("booth password"),
    "template_media": gettext_noop("template pictures"),
    "second_factor": gettext_noop("second factor"),
    "reserves": gettext_noop("reserves"),
    "reserve_keys": gettext_noop("keys of the reserves"),
    "on_reserve": gettext_noop("only the reserve is asked"),
    "provider_keys": gettext_noop("key of the AI service"),
    "result_ttl_hours": gettext_noop("results are kept, hours"),
    "galleries": gettext_noop("who sees galleries, at most"),
    "gallery_address": gettext_noop("secret address of the gallery"),
    "gallery_size": gettext_noop("pictures in a gallery"),
    "max_jobs_per_slot": gettext_noop("photos at one time per slot"),
    "max_jobs_per_provider": gettext_noop("photos at one time per provider"),
    "hash_check": gettext_noop("the booth's hash of a photo"),
    "faces": gettext_noop("people's faces"),
    "price": gettext_noop("price of an AI service"),
    "currency": gettext_noop("currency"),
    "budget": gettext_noop("budget"),
    "replay_by_hash": gettext_noop("answer an equal photo with its earlier picture"),
}
# Ticks of earlier versions, and the choices that they became.
RENAMED = {"gallery_enabled": "gallery_mode", "galleries_open": "galleries"}
COLUMNS = {field.name: field for field in Slot._meta.concrete_fields}


def rename_fields(state: Mapping[str, Any]) -> dict[str, Any]:
    """A stored state in the words of today: entries of the history are never rewritten."""
    renamed = dict(state)
    for old, new in RENAMED.items():
        if old in renamed:
            renamed[new] = "open" if renamed.pop(old) else "closed"
    return renamed


def get_msgid(place: str, state: Mapping[str, Any]) -> str:
    """What a field (``settings.prompt``) is called in English, to be translated when it is read."""
    name, _dot, of_it = place.partition(".")
    if name in NAMES:
        return NAMES[name]
    if of_it:
        driver = DRIVERS.get(str(state.get("provider")))
        field = driver.Settings.model_fields.get(of_it) if driver else None
        return (field.title if field else None) or of_it
    with override(None):
        return str(COLUMNS[name].verbose_name) if name in COLUMNS else name


def get_label(place: str, *states: Mapping[str, Any]) -> str:
    """What a field is called in the reader's language, by the first state whose driver has it."""
    name, _dot, of_it = place.partition(".")
    words = next((found for s in states if (found := get_msgid(place, s)) != of_it), of_it)
    return f"{_(words)}: {of_it}" if name == "provider_keys" else _(words)
