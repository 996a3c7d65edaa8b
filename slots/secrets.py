"""Secrets that operators enter: encrypted (provider keys) or hashed (booth passwords) at rest."""

import bcrypt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from photochanger.errors import ProviderConfig


class CiphertextField(models.TextField):  # type: ignore[type-arg]
    """Holds what ``encrypt`` made; by its type ``rotate_keys`` finds every such column."""


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
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(settings.BCRYPT_ROUNDS)).decode()


def password_matches(password: str, hashed: str) -> bool:
    """Blocking, about 225 ms of CPU; constant time in what the password is."""
    return bcrypt.checkpw(password.encode()[:72], hashed.encode())
