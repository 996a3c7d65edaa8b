"""Loaded by schemathesis, in its own process: what made-up requests need to get past our door."""

import io
import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

EXAMPLE = "correct-horse-battery"  # the password in the description


def photo(kind: str, colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind)
    return out.getvalue()


PHOTOS = [photo("JPEG", "navy"), photo("PNG", "olive"), photo("WEBP", "teal")]
BROKEN = [PHOTOS[0][:200], PHOTOS[1][:60], photo("GIF", "red"), b"<html>", b""]
schemathesis.openapi.format(
    "binary", st.one_of(st.sampled_from(PHOTOS), st.sampled_from(BROKEN), st.binary(max_size=64))
)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    del context, kwargs
    case.headers["X-Forwarded-For"] = f"198.18.{os.urandom(1)[0]}.{os.urandom(1)[0]}"
    body, name = case.body, case.operation.definition.raw["operationId"]
    if isinstance(body, dict) and name.startswith("ingest_") and _is_text(body, "password"):
        body["password"] = os.environ["BOOTH_PASSWORD"]
    if name == "log_in" and body == {"username": "serg", "password": EXAMPLE}:
        body["password"] = os.environ["ADMIN_PASSWORD"]
    if isinstance(body, dict) and name in ("put_slot", "put_settings"):
        keep_open(body)
    # Else it looks once more whether the body is valid, and takes no file for a text.
    case._sync_validated_hashes()


def _is_text(body: dict[str, Any], name: str) -> bool:
    return isinstance(body.get(name), str)


def keep_open(body: dict[str, Any]) -> None:
    """A made-up new password, or a slot switched off, would close the door behind us."""
    if _is_text(body, "ingest_password") and 6 <= len(body["ingest_password"]) <= 72:
        del body["ingest_password"]  # also: its hash takes 225 ms, each time
    for name in ("is_active", "gallery_enabled", "galleries_open"):
        if body.get(name) is False:
            body[name] = True
    for name in ("gallery_mode", "galleries"):
        if body.get(name) in ("secret", "closed"):
            body[name] = "open"
