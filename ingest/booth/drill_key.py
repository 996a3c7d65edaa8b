"""The Idempotency-Key of a drill's photo, which no booth can make: the installation has signed it.

So a drill counts as a test run from its first moment on, though it goes a booth's own way: no
statistics, no red cards, no gallery.
"""

import uuid

from django.core.signing import BadSignature, Signer

PREFIX, SALT = "drill-", "ingest.drill"


def make_drill_key() -> str:
    """Another one for each photo: an equal photo would get its earlier picture."""
    return PREFIX + Signer(salt=SALT).sign(uuid.uuid4().hex)


def is_drill_key(key: str) -> bool:
    if not key.startswith(PREFIX):
        return False
    try:
        Signer(salt=SALT).unsign(key.removeprefix(PREFIX))
    except BadSignature:  # somebody's own key; its photo is as any other
        return False
    return True
