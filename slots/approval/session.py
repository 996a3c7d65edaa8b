"""Who has typed the PIN: a signed cookie of one link, and none of the console's sessions."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from photochanger.db import clock
from photochanger.parsing import group_address
from slots.approval.models import ApprovalLink

COOKIE, SALT = "approval", "slots.approval"
LONGEST = timedelta(hours=72)  # then even the PIN of an event that goes on is typed again


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks for the page of a link."""

    is_let_in: bool  # with the PIN of now
    is_known: bool  # with an earlier one of this link
    source: str  # what wrong tries are counted for


def recognise_visitor(request: HttpRequest, link: ApprovalLink) -> Visitor:
    address = group_address(request.META.get("REMOTE_ADDR", ""))
    try:
        told = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
        device, token, key = (str(told[name]) for name in ("device", "token", "key"))
    except (signing.BadSignature, KeyError, TypeError):
        return Visitor(is_let_in=False, is_known=False, source=address)
    if not hmac.compare_digest(token, _hash(link.token)):
        return Visitor(is_let_in=False, is_known=False, source=address)
    is_let_in = hmac.compare_digest(key, _hash(link.session_key))
    return Visitor(is_let_in=is_let_in, is_known=True, source=f"device:{device}"[:64])


def let_in(response: HttpResponse, link: ApprovalLink, *, device: str) -> None:
    left = LONGEST if link.expires_at is None else link.expires_at - clock.now()
    told = {"device": device, "token": _hash(link.token), "key": _hash(link.session_key)}
    response.set_cookie(
        COOKIE,
        signing.dumps(told, salt=SALT),
        max_age=max(0, int(left.total_seconds())),
        path=reverse("api:approval", kwargs={"token": link.token}),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # no other site can send a decision with it
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:32]
