"""What a reserve makes of its slot, and whether it could work: its driver alone knows."""

import ipaddress
from collections.abc import Collection, Iterable
from contextlib import suppress
from copy import copy
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from media.reach import Reach, judge_host
from photochanger.errors import Text
from providers.base import ALL_TEMPLATE_KINDS
from providers.registry import DRIVERS
from slots.models import ReserveSource, Slot
from slots.prompts.checking import find_prompt_mistakes
from slots.prompts.variables import PromptVariable
from slots.validation_messages import FieldMessages, messages_by_field

PROMPT = "prompt"


def apply_reserve(slot: Slot, reserve: ReserveSource) -> Slot:
    """The slot as it would be with the reserve for its recipe; not to be saved."""
    made = copy(slot)
    made.provider, made.operation = reserve.provider, reserve.operation
    made.settings = fill_prompt(slot, reserve)
    return made


def fill_prompt(slot: Slot, reserve: ReserveSource) -> dict[str, Any]:
    """Its settings; without a prompt of its own it has the slot's, whatever that becomes."""
    driver = DRIVERS.get(reserve.provider)
    takes_prompt = driver is not None and PROMPT in driver.settings_for(reserve.operation)
    prompt = slot.settings.get(PROMPT)
    if takes_prompt and prompt and not reserve.settings.get(PROMPT):
        return {**reserve.settings, PROMPT: prompt}
    return dict(reserve.settings)


def list_used_variables(slot: Slot) -> list[PromptVariable]:
    """The slot's words from the booth that its prompt or a reserve's names: the others make no
    difference. One query, where the slot's own prompt does not name them all."""
    own, listed = slot.list_used_variables(), slot.list_variables()
    if len(own) == len(listed):
        return own
    reserves = slot.reserves.filter(is_enabled=True)
    used = [one for row in reserves for one in apply_reserve(slot, row).list_used_variables()]
    return [one for one in listed if one in own or one in used]


def find_reserve_misfits(
    slot: Slot, reserves: Iterable[ReserveSource], kinds: Collection[str]
) -> FieldMessages:
    """What would fail every photo, by field (``reserves.0.settings.prompt``).

    ``kinds``: of the slot's template pictures, which its reserves use too.
    """
    found: FieldMessages = {}
    for number, reserve in enumerate(reserves):
        misfits = _find_misfits(slot, reserve, kinds) if reserve.is_enabled else {}
        found |= {f"reserves.{number}.{name}": words for name, words in misfits.items()}
    return found


def _find_misfits(slot: Slot, reserve: ReserveSource, kinds: Collection[str]) -> FieldMessages:
    driver = DRIVERS.get(reserve.provider)
    if driver is None:
        return {"provider": _("There is no such provider.")}
    if reserve.operation not in driver.operations:
        return {"operation": _("The provider has no such operation.")}
    found = _judge_address(reserve)
    try:
        recipe = driver.Settings.model_validate(fill_prompt(slot, reserve))
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        return found | messages_by_field(errors, prefix="settings")
    mistakes = find_prompt_mistakes(recipe, slot.list_variables())
    sent = [kind for kind in kinds if kind in ALL_TEMPLATE_KINDS]  # a frame is not
    conflicts = driver.find_conflicts(reserve.operation, recipe, sent)
    return (
        found
        | {f"settings.{name}": words for name, words in mistakes.items()}
        | {name: _(words) for name, words in conflicts.items()}
    )


def _judge_address(reserve: ReserveSource) -> FieldMessages:
    if not reserve.base_url:
        return {}
    if words := find_address_error(reserve.base_url):
        return {"base_url": words}
    if not reserve.api_key:  # else whoever types an address here would be sent a key unseen
        return {
            "api_key": _(
                "The key of the settings never goes to another address: enter the key of this one."
            )
        }
    return {}


def find_address_error(base_url: str) -> Text:
    """Why keys and photos may not be sent there; "" when they may."""
    try:
        address = urlsplit(base_url)
        host, _port = address.hostname or "", address.port
    except ValueError:
        return _("This is not an address such as https://relay.example.com.")
    is_plain = address.scheme == "http" and judge_host(host) < Reach.WORLD
    has_more = address.query or address.fragment or address.username or address.password
    if not host or has_more or not (is_plain or address.scheme == "https"):
        return _("This is not an address such as https://relay.example.com.")
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_link_local:  # where clouds keep their secrets
            return _("No service may be at this address.")
    return ""
