"""What a log line must not open: a job's whole id is its guest's link."""

import re
from collections.abc import MutableMapping
from typing import Any

_UUID = re.compile(
    r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"  # as links write it
    r"|\b([0-9a-f]{8})[0-9a-f]{24}\b",
    re.IGNORECASE,
)


def shorten_ids(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Eight digits find a photo in the console, and open nothing: a processor of structlog."""
    for name, value in event.items():
        event[name] = _shorten(value)
    return event


def _shorten(value: Any) -> Any:
    if isinstance(value, str):
        return _UUID.sub(lambda found: found[1] or found[2], value)
    if isinstance(value, dict):
        return {name: _shorten(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten(inner) for inner in value]
    return value
