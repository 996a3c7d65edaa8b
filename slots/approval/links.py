"""Make, find and end the link and the PIN of those who approve pictures."""

import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple

import structlog
from django.db import transaction

from photochanger.db import clock
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.models import Slot
from slots.secrets import add_keyed_hash, make_link_token
from slots.services import find_slot

log = structlog.get_logger()

PIN_DIGITS = 8
HOURS = (6, 12, 24, 72)  # that a link may live


class NewPin(NamedTuple):
    link: ApprovalLink
    pin: str  # told once, and stored nowhere


@transaction.atomic
def make_link(slot_id: str, *, hours: int, by: str) -> NewPin:
    """A new link with a new PIN; what was there before is over. Raises SlotNotFound."""
    find_slot(slot_id)
    pin = _make_pin()
    link, _is_new = ApprovalLink.objects.update_or_create(
        slot_id=slot_id,
        defaults={
            "token": make_link_token(),
            "pin_hash": add_keyed_hash("", pin),
            "session_key": make_link_token(),
            "expires_at": clock.now() + timedelta(hours=hours),
            "next_try_at": clock.now(),
            "made_by": by,
        },
    )
    ApprovalTry.objects.filter(link=link).delete()
    log.info("slots.approval.link_made", slot=slot_id, hours=hours, by=by)
    return NewPin(link, pin)


@transaction.atomic
def renew_pin(slot_id: str, *, by: str) -> NewPin | None:
    """A new PIN for the same link; everybody must type it. None when there is no link."""
    pin = _make_pin()
    changed = ApprovalLink.objects.filter(slot_id=slot_id).update(
        pin_hash=add_keyed_hash("", pin), session_key=make_link_token()
    )
    if not changed:
        return None
    log.info("slots.approval.pin_renewed", slot=slot_id, by=by)
    return NewPin(ApprovalLink.objects.get(slot_id=slot_id), pin)


def end_link(slot_id: str, *, by: str) -> None:
    """Nobody decides by it any more, from the next tap on."""
    ApprovalLink.objects.filter(slot_id=slot_id).delete()
    log.info("slots.approval.link_ended", slot=slot_id, by=by)


def find_link(token: str) -> ApprovalLink | None:
    """None for a link that never was, or whose time is over. One query, in constant time."""
    now = clock.now()
    matches = [
        link
        for link in ApprovalLink.objects.select_related("slot")
        if hmac.compare_digest(link.token.encode(), token.encode(errors="replace"))
    ]
    return next((link for link in matches if link.expires_at > now), None)


def load_link(slot: Slot) -> ApprovalLink | None:
    return ApprovalLink.objects.filter(slot=slot, expires_at__gt=clock.now()).first()


def _make_pin() -> str:
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
