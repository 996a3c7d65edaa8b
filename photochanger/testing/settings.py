"""The product's settings with hashes that cost a millisecond, since tests make hundreds of them,
and with patience for busy machines."""

from django.conf import global_settings

from photochanger.settings import *  # noqa: F403

BCRYPT_ROUNDS = 4  # the fewest there can be
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    *global_settings.PASSWORD_HASHERS,
]
FACES_JUDGE_SECONDS = 20.0  # a busy machine's look for faces, which has the lowest priority
