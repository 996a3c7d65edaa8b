"""The booth password: what it must be like, how it is stored, and which one counts.

Booths are checked by its hash. Beside the hash it is kept encrypted, for administrators who must
type it into one more booth: a new password would close out all the others.
"""

import re
import secrets
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import pairwise

from django.conf import settings as django_settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidFields, ProviderConfig
from photochanger.parsing import decode_text
from slots.models import Setting, Slot
from slots.platform_settings import PlatformSettings
from slots.secrets import (
    ALPHABET,
    add_keyed_hash,
    decrypt,
    encrypt,
    hash_password,
    match_keyed_hash,
    password_matches,
)
from slots.setting_rows import load_fact, store_row

PASSWORD_KEY = "ingest_password_hash"  # noqa: S105  the name of a setting
SEALED_KEY = "ingest_password_sealed"
GENERATED_LENGTH = 10  # of 32 characters: 50 bits, typed on a touch screen
MIN_PASSWORD, MAX_PASSWORD_BYTES = 6, 72  # bcrypt reads no further
MIN_DIGITS = 10  # of a password of digits alone
_REPEATED = re.compile(r"(.{1,4})\1+", re.DOTALL)
_load_common = cache(CommonPasswordValidator)  # 20,000 words, read at the first new password


@dataclass(frozen=True, slots=True)
class StoredPassword:
    """``sealed`` is empty where no FIELD_ENCRYPTION_KEY is set: then nobody can read it again."""

    hashed: str = ""
    sealed: str = field(default="", repr=False)


def prepare_new_password(password: str) -> StoredPassword:
    """Check a new booth password. Blocking, 225 ms of CPU. Raises InvalidFields."""
    check_new_password(password)
    return _prepare_password(password)


def _prepare_password(password: str) -> StoredPassword:
    sealed = encrypt(password) if django_settings.FIELD_ENCRYPTION_KEYS else ""
    return StoredPassword(hash_password(password), sealed)


def check_new_password(password: str) -> None:
    """Raises InvalidFields for a password that some booth could not send, or that is soon guessed.

    Nothing else bounds guessing: the right one is let in whatever was tried before it.
    """
    check_can_be_sent(password)
    if is_soon_guessed(password):
        words = _(
            "Too easy to guess. Press “Generate” in the settings, or mix letters and digits; "
            "digits alone need at least %(min_digits)s."
        )
        raise InvalidFields({"ingest_password": words % {"min_digits": MIN_DIGITS}})


def is_soon_guessed(password: str) -> bool:
    """Whether it is common, repeats or counts something, or is a short number."""
    steps = {ord(second) - ord(first) for first, second in pairwise(password)}
    if _REPEATED.fullmatch(password.lower()) or steps in ({1}, {-1}):
        return True
    if password.isdecimal() and len(password) < MIN_DIGITS:
        return True
    try:
        _load_common().validate(password)
    except ValidationError:
        return True
    return False


def check_can_be_sent(password: str) -> None:
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
    store_ingest_password(_prepare_password(password), by=by)


@transaction.atomic
def store_ingest_password(stored: StoredPassword, *, by: str) -> None:
    store_row(PASSWORD_KEY, stored.hashed, by=by)
    store_row(SEALED_KEY, stored.sealed, by=by)


def read_ingest_password(platform: PlatformSettings) -> str:
    """The password of all booths, to be shown to an administrator; "" when it cannot be read."""
    if not platform.ingest_password_hash:
        return str(django_settings.INGEST_PASSWORD)
    return _unseal(platform.ingest_password_hash, load_fact(SEALED_KEY) or "")


def read_slot_password(slot: Slot) -> str:
    """The slot's own; "" when it has none, or none that can be read."""
    return _unseal(slot.ingest_password_hash, slot.ingest_password_sealed)


def _unseal(hashed: str, sealed: str) -> str:
    """Empty of a password that was set before passwords were kept, whose encryption key is gone,
    or that is not the one which counts: a wrong one must never be typed into a booth."""
    try:
        password = decrypt(sealed) if sealed else ""
    except ProviderConfig:
        return ""
    if not password:
        return ""
    is_right = match_keyed_hash(password, hashed)
    if is_right is None:
        is_right = password_matches(password, hashed)
    return password if is_right else ""


def get_password_hash(slot: Slot, platform: PlatformSettings) -> str:
    """The hash a booth's password must match: the slot's own, else the global one; "" is closed.

    ``INGEST_PASSWORD`` serves while none is stored.
    """
    stored = slot.ingest_password_hash or platform.ingest_password_hash
    given = django_settings.INGEST_PASSWORD
    return stored or (_hash_once(given) if given else "")


# The environment has the password itself: bcrypt would protect nothing.
_hash_once = cache(partial(add_keyed_hash, ""))


def renew_keyed_hash(hashed: str, password: str) -> None:
    """Give a stored password that was just found right a keyed hash of the newest key."""
    renewed = add_keyed_hash(hashed, password)
    Slot.objects.filter(ingest_password_hash=hashed).update(ingest_password_hash=renewed)
    Setting.objects.filter(key=PASSWORD_KEY, value=hashed).update(value=renewed)


def generate_password() -> str:
    """Of characters that nobody mistakes for others; the console's page makes them alike."""
    return "".join(secrets.choice(ALPHABET) for _ in range(GENERATED_LENGTH))
