"""Browsers that have logged in to the console before: their failures are counted apart.

Guests and operators of a venue share one address. Without this, ten wrong tries by a guest, or by a
page that one of them opened, would keep the operator out for a quarter of an hour.
"""

import secrets
from ipaddress import IPv6Address

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

SALT = "photochanger.device"
# With a path of its own it cannot be a __Host- cookie.
COOKIE = f"{'__Secure-' if settings.SESSION_COOKIE_SECURE else ''}photochanger_device"
LIFETIME_S = 180 * 24 * 3600
# Counted under an address that nobody has: 100::/64 is to be discarded by every router (RFC 6666).
NOBODYS_NETWORK = int(IPv6Address("100::"))


def find_device_address(request: HttpRequest) -> str | None:
    """What failures of a known browser are counted for; None for any other one."""
    try:
        number = request.get_signed_cookie(COOKIE, salt=SALT, max_age=LIFETIME_S)
        return str(IPv6Address(NOBODYS_NETWORK + int(number or "", 16) % 2**64))
    except (KeyError, BadSignature, ValueError):
        return None


def remember_device(request: HttpRequest, response: HttpResponse) -> None:
    """Called when this browser has logged in."""
    if find_device_address(request) is None:
        response.set_signed_cookie(
            COOKIE,
            secrets.token_hex(8),
            salt=SALT,
            max_age=LIFETIME_S,
            path="/admin/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
