"""Make, find and end the link and the PIN of those who approve pictures."""

import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from photochanger.db import clock
from photochanger.errors import InvalidFields, ProviderConfig
from slots.approval.models import ApprovalLink, ApprovalTry
from slots.approval.scope import Scope
from slots.events.running import lock_event
from slots.secrets import add_keyed_hash, decrypt, encrypt, make_link_token, match_keyed_hash
from slots.services import find_slot

log = structlog.get_logger()

PIN_DIGITS = 8
HOURS = (6, 12, 24, 72)  # that a slot's link may live


class NewPin(NamedTuple):
    link: ApprovalLink
    pin: str


@transaction.atomic
def make_link(scope: Scope, *, hours: int | None, by: str) -> NewPin:
    """A new link with a new PIN; what was there before is over.

    ``hours``: how long it is good; None, of an event's: until the event is closed. Raises
    SlotNotFound, InvalidFields for an event that is over.
    """
    _check_scope(scope)
    pin = _make_pin()
    link, _is_new = ApprovalLink.objects.update_or_create(
        key=scope.key,
        defaults={
            **_store_pin(scope, pin),
            "event_id": scope.event_id,
            "token": make_link_token(),
            "expires_at": None if hours is None else clock.now() + timedelta(hours=hours),
            "next_try_at": clock.now(),
            "made_by": by,
        },
    )
    ApprovalTry.objects.filter(link=link).delete()
    log.info("slots.approval.link_made", scope=scope.key, hours=hours, by=by)
    return NewPin(link, pin)


def _check_scope(scope: Scope) -> None:
    """In a transaction: an event is not closed while its link is made."""
    if scope.event_id is None:
        find_slot(scope.slot_id)
    elif lock_event(scope.event_id).closed_at is not None:
        words = _("It is over meanwhile, and is not changed any more. Copy it for the next one.")
        raise InvalidFields({"": words})


def _store_pin(scope: Scope, pin: str) -> dict[str, str]:
    """The columns of a new PIN; everybody must type it. A slot's is told once, and kept nowhere."""
    is_kept = scope.event_id is not None and settings.FIELD_ENCRYPTION_KEYS
    return {
        "pin_hash": add_keyed_hash("", pin),
        "pin_sealed": encrypt(pin) if is_kept else "",
        "session_key": make_link_token(),
    }


@transaction.atomic
def renew_pin(scope: Scope, *, by: str) -> NewPin | None:
    """A new PIN for the same link. None when there is no link."""
    pin = _make_pin()
    if not select_good_links().filter(pk=scope.key).update(**_store_pin(scope, pin)):
        return None
    log.info("slots.approval.pin_renewed", scope=scope.key, by=by)
    return NewPin(ApprovalLink.objects.get(pk=scope.key), pin)


def read_pin(link: ApprovalLink) -> str:
    """To be printed, for an administrator who has confirmed to be there; "" where it is not kept,
    or cannot be read, or is not the one that counts."""
    try:
        pin = decrypt(link.pin_sealed) if link.pin_sealed else ""
    except ProviderConfig:
        return ""
    return pin if match_keyed_hash(pin, link.pin_hash) else ""


def end_link(scope: Scope, *, by: str) -> None:
    """Nobody decides by it any more, from the next tap on."""
    ApprovalLink.objects.filter(pk=scope.key).delete()
    log.info("slots.approval.link_ended", scope=scope.key, by=by)


def select_good_links() -> QuerySet[ApprovalLink]:
    """Neither their own time is over, nor their event."""
    is_in_time = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return ApprovalLink.objects.filter(is_in_time, event__closed_at__isnull=True)


def find_link(token: str) -> ApprovalLink | None:
    """None for a link that never was, or is over. One query, in constant time."""
    matches = [
        link
        for link in select_good_links().select_related("event")
        if hmac.compare_digest(link.token.encode(), token.encode(errors="replace"))
    ]
    return next(iter(matches), None)


def load_link(scope: Scope) -> ApprovalLink | None:
    return select_good_links().filter(pk=scope.key).first()


def _make_pin() -> str:
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
