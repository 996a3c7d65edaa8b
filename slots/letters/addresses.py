"""An address that a guest typed: checked strictly, shown in part, counted by a keyed hash."""

import hashlib
import hmac
import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidRequest

MAX_ADDRESS = 254
# Narrower than the standard: no quotes, no comments, no second address, nothing that ends a line.
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{4,253}", re.ASCII)


class BadAddress(InvalidRequest):
    sentence = _("This is no e-mail address. Look at it again: one address, such as anna@mail.com.")


def clean_address(text: str) -> str:
    """The one address in ``text``, its domain as mail servers write it. Raises BadAddress."""
    name, _at, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode().lower()
        validate_email(f"{name}@{host}")
    except (UnicodeError, ValidationError) as exc:
        raise BadAddress("not an address") from exc
    is_plain = _LOCAL.fullmatch(name) and _HOST.fullmatch(host) and "." in host
    if not is_plain or len(name) + 1 + len(host) > MAX_ADDRESS:
        raise BadAddress("not an address")
    return f"{name}@{host}"


def mask_address(address: str) -> str:
    """As much of it as an operator needs to answer a guest who asks."""
    name, _at, host = address.rpartition("@")
    return f"{name[:1]}···@{host}"[:120]


def hash_for_counting(kind: str, text: str) -> str:
    """The same for the same text and key; whoever has the database alone learns nothing from it."""
    key = hashlib.sha256(f"photochanger letters\0{settings.SECRET_KEY}".encode()).digest()
    return hmac.digest(key, f"{kind}\0{text.lower()}".encode(), "sha256").hex()[:32]
