"""Browsers that have logged in to the console before, and as whom: their failures are counted
apart.

Guests and operators of a venue share one address. Without this, ten wrong tries by a guest, or by a
page that one of them opened, would keep the operator out for a quarter of an hour.
"""

import re
import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, parse_cookie

from photochanger.edge.asgi_types import Scope

SALT = "photochanger.device"
NUMBER = re.compile(r"[0-9a-f]{16}")
# With a path of its own it cannot be a __Host- cookie.
COOKIE = f"{'__Secure-' if settings.SESSION_COOKIE_SECURE else ''}photochanger_device"
LIFETIME_S = 180 * 24 * 3600
# Counted under an address that nobody has: 100::/64 is to be discarded by every router (RFC 6666).
NOBODYS_NETWORK = int(IPv6Address("100::"))
MOST_USERS = 8  # of one browser; the last ones count


@dataclass(frozen=True, slots=True)
class Device:
    number: str  # hexadecimal
    users: tuple[str, ...] = ()  # who has logged in here: their numbers


def _read_device(request: HttpRequest) -> Device | None:
    """From a cookie such as ``1f2e3d4c5b6a7988.1.17``."""
    try:
        value = request.get_signed_cookie(COOKIE, salt=SALT, max_age=LIFETIME_S) or ""
    except (KeyError, BadSignature):
        return None
    number, *users = value.split(".")
    return Device(number, tuple(users)) if NUMBER.fullmatch(number) else None


def find_device_address(request: HttpRequest) -> str | None:
    """What failures of a known browser are counted for; None for any other one."""
    device = _read_device(request)
    return str(IPv6Address(NOBODYS_NETWORK + int(device.number, 16))) if device else None


def find_browser(scope: Scope) -> str | None:
    """The same, of a request that Django has not seen yet."""
    request, headers = HttpRequest(), dict(scope["headers"])
    request.COOKIES = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    return find_device_address(request)


def is_known_browser(request: HttpRequest, user: User) -> bool:
    """Whether this user has logged in here before."""
    device = _read_device(request)
    return device is not None and str(user.pk) in device.users


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Called when ``request.user`` has logged in with this browser."""
    device, user = _read_device(request) or Device(secrets.token_hex(8)), str(request.user.pk)
    if user not in device.users:
        users = (*device.users, user)[-MOST_USERS:]
        response.set_signed_cookie(
            COOKIE,
            ".".join((device.number, *users)),
            salt=SALT,
            max_age=LIFETIME_S,
            path="/admin/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
