"""The forms in which a text may carry a secret: pure functions."""

import base64
import re

_OTHER = re.compile(r"[^0-9A-Za-z]+")


def squeeze(text: str) -> str:
    """Letters and digits alone, small: so it is the same with anything in between."""
    return _OTHER.sub("", text).lower()


def list_forms(secret: str) -> list[str]:
    """As it is, backwards, in hex and in base64, alone or within a longer text; squeezed."""
    raw = secret.encode()
    within = (_encode_within(raw, before) for before in range(3))
    return [squeeze(form) for form in (secret, secret[::-1], raw.hex(), *within)]


def _encode_within(raw: bytes, before: int) -> str:
    """The part of a base64 text that depends on ``raw`` alone, after so many other bytes."""
    encoded = base64.b64encode(bytes(before) + raw).decode()
    return encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
