"""What an administrator types as a booth password or a provider's key, checked and hashed."""

import re

from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidFields
from slots.secrets import hash_password
from slots.services import MAX_PASSWORD_BYTES, MIN_PASSWORD

MAX_KEY = 500


def hashed_password(password: str) -> str:
    """The hash of a new booth password. Blocking, 225 ms of CPU. Raises InvalidFields."""
    if len(password) < MIN_PASSWORD:
        words = _("Too short: at least %(min_length)s characters are needed.")
        raise InvalidFields({"ingest_password": words % {"min_length": MIN_PASSWORD}})
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise InvalidFields(
            {
                "ingest_password": _(
                    "Too long: only the first 72 bytes of a password would count. "
                    "That is 72 Latin or 36 Russian letters."
                )
            }
        )
    if not password.isprintable() or password != password.strip():
        raise InvalidFields(
            {"ingest_password": _("No line breaks, and no spaces at the beginning or end.")}
        )
    return hash_password(password)


def clean_key(provider: str, key: str | None) -> str:
    """A provider's key as it can be sent; "" for none. Raises InvalidFields."""
    key = (key or "").strip()
    if not re.fullmatch(rf"[!-~]{{0,{MAX_KEY}}}", key):
        raise InvalidFields(
            {f"provider_keys.{provider}": _("A key has neither spaces nor special characters.")}
        )
    return key
