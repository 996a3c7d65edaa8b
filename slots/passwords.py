"""The booth password: what it must be like, where its hash is stored, and which one counts."""

import secrets
from functools import cache, partial

from django.conf import settings as django_settings
from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidFields
from photochanger.parsing import decode_text
from slots.models import Setting, Slot
from slots.platform_settings import PlatformSettings
from slots.secrets import add_keyed_hash, hash_password
from slots.setting_rows import store_row

PASSWORD_KEY = "ingest_password_hash"  # noqa: S105  the name of a setting
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1
MIN_PASSWORD, MAX_PASSWORD_BYTES = 6, 72  # bcrypt reads no further


def hash_new_password(password: str) -> str:
    """Check a new booth password and hash it. Blocking, 225 ms of CPU. Raises InvalidFields."""
    check_new_password(password)
    return hash_password(password)


def check_new_password(password: str) -> None:
    """Raises InvalidFields for a password that some booth could not send."""
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
    if not is_spelled_alike(password):
        raise InvalidFields(
            {
                "ingest_password": _(
                    "Some booths cannot send these characters. Latin and Russian letters, digits "
                    "and the signs of a keyboard are safe."
                )
            }
        )


def is_spelled_alike(password: str) -> bool:
    """Whether it is read the same from a booth that sends UTF-8 and from one of windows-1251."""
    try:
        return decode_text(password.encode("cp1251")) == password
    except UnicodeEncodeError:
        return False


def set_ingest_password(password: str, *, by: str) -> None:
    """Set the password every booth must send. Blocking (bcrypt)."""
    set_ingest_password_hash(hash_password(password), by=by)


def set_ingest_password_hash(hashed: str, *, by: str) -> None:
    store_row(PASSWORD_KEY, hashed, by=by)


def get_password_hash(slot: Slot, platform: PlatformSettings) -> str:
    """The hash a booth's password must match: the slot's own, else the global one; "" is closed.

    ``INGEST_PASSWORD`` serves while none is stored.
    """
    return slot.ingest_password_hash or platform.ingest_password_hash or _hash_from_environment()


def _hash_from_environment() -> str:
    """``INGEST_PASSWORD`` serves until an operator sets a password."""
    return _hash_once(django_settings.INGEST_PASSWORD) if django_settings.INGEST_PASSWORD else ""


# The environment has the password itself: bcrypt would protect nothing.
_hash_once = cache(partial(add_keyed_hash, ""))


def renew_keyed_hash(hashed: str, password: str) -> None:
    """Give a stored password that was just found right a keyed hash of the newest key."""
    renewed = add_keyed_hash(hashed, password)
    Slot.objects.filter(ingest_password_hash=hashed).update(ingest_password_hash=renewed)
    Setting.objects.filter(key=PASSWORD_KEY, value=hashed).update(value=renewed)


def generate_password() -> str:
    """Ten characters of 32 that nobody mistakes for another: 50 bits, typed on a touch screen."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))
