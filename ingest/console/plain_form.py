"""The slot's plain form as a change of the slot: what a photo's way depends on."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from photochanger.errors import InvalidFields
from slots.models import Slot
from slots.schemas import SlotIn
from slots.sentences import fields_of

TEXTS, NUMBERS = ("provider", "operation"), ("size_limit_mb", "sync_response_seconds")


def read_slot_form(request: HttpRequest, slot: Slot) -> SlotIn:
    """Raises InvalidFields."""
    values: dict[str, Any] = {name: request.POST[name] for name in TEXTS if name in request.POST}
    for name in NUMBERS:
        if text := request.POST.get(name, "").strip():
            values[name] = int(text) if text.isdecimal() else text
    try:
        values["settings"] = json.loads(request.POST.get("settings") or "{}")
    except json.JSONDecodeError as exc:
        raise InvalidFields({"settings": _("This is not JSON.")}) from exc
    try:
        return SlotIn.model_validate(values)
    except ValidationError as exc:
        raise InvalidFields(fields_of(exc.errors(include_url=False, include_input=False))) from exc
