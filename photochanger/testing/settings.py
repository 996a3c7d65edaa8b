"""The product's settings with hashes that cost a millisecond: tests make hundreds of them."""

from django.conf import global_settings

from photochanger.settings import *  # noqa: F403

BCRYPT_ROUNDS = 4  # the fewest there can be
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    *global_settings.PASSWORD_HASHERS,
]
