"""Secrets that operators enter: encrypted (provider keys) or hashed (booth passwords) at rest.

A stored password is ``<bcrypt>:<key>:<hmac>``. The keyed hash tells in microseconds what bcrypt
tells in 225 ms, to whoever has the installation's SECRET_KEY; the database alone is worth no more
than bcrypt. The part in the middle names the key, so that a hash of a forgotten key is not taken
for a wrong password.
"""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

import bcrypt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from photochanger.errors import ProviderConfig

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l, o, 0 and 1


class CiphertextField(models.TextField):  # type: ignore[type-arg]
    """Holds what ``encrypt`` made; by its type ``rotate_keys`` finds every such column."""


def make_link_token() -> str:
    """The secret part of a link: 26 of 32 letters are 130 bits, and no messenger cuts them off."""
    return "".join(secrets.choice(ALPHABET) for _ in range(26))


def _make_cipher() -> MultiFernet:
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise ProviderConfig("FIELD_ENCRYPTION_KEY is not set")
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def encrypt(secret: str) -> str:
    return _make_cipher().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str:
    """Raises ProviderConfig when none of our keys opens it."""
    try:
        return _make_cipher().decrypt(token.encode()).decode()
    except InvalidToken as exc:
        raise ProviderConfig("a stored key cannot be decrypted with FIELD_ENCRYPTION_KEY") from exc


def is_of_newest_key(token: str) -> bool:
    """Whether the first of our keys, which encrypts, opens it by itself. Raises ProviderConfig."""
    if not settings.FIELD_ENCRYPTION_KEYS:
        raise ProviderConfig("FIELD_ENCRYPTION_KEY is not set")
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def hash_password(password: str) -> str:
    """Blocking, about 225 ms of CPU. Only the first 72 bytes of a password count for bcrypt."""
    salt = bcrypt.gensalt(settings.BCRYPT_ROUNDS)
    return add_keyed_hash(bcrypt.hashpw(password.encode()[:72], salt).decode(), password)


def password_matches(password: str, hashed: str) -> bool:
    """Blocking, about 225 ms of CPU; constant time in what the password is."""
    return bcrypt.checkpw(password.encode()[:72], hashed.partition(":")[0].encode())


def add_keyed_hash(hashed: str, password: str) -> str:
    """The stored form with a keyed hash of the newest key."""
    slow = hashed.partition(":")[0]
    key = settings.SECRET_KEY
    return f"{slow}:{_name_key(key)}:{_make_keyed_hash(key, slow, password)}"


def match_keyed_hash(password: str, hashed: str) -> bool | None:
    """Whether the password is right, in constant time; None when no key of ours made the hash."""
    slow, _, rest = hashed.partition(":")
    name, _, expected = rest.partition(":")
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if name and hmac.compare_digest(name, _name_key(key)):
            return hmac.compare_digest(_make_keyed_hash(key, slow, password), expected)
    return None


@lru_cache(maxsize=8)  # of one installation
def _name_key(key: str) -> str:
    return _encode(hmac.digest(_derive_key(key), b"name", "sha256")[:6])


def _make_keyed_hash(key: str, slow: str, password: str) -> str:
    """Bound to the bcrypt hash, so that equal passwords look different; 128 bits."""
    return _encode(hmac.digest(_derive_key(key), f"{slow}\0{password}".encode(), "sha256")[:16])


@lru_cache(maxsize=8)
def _derive_key(key: str) -> bytes:
    return hashlib.sha256(f"photochanger booth password\0{key}".encode()).digest()


def _encode(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
