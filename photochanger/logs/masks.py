"""What a log line must not hold: secrets, whole ids of jobs, and what commands a terminal."""

import re
from collections.abc import MutableMapping
from typing import Any

from photochanger.redaction import redact

_UUID = re.compile(
    r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"  # as links write it
    r"|\b([0-9a-f]{8})[0-9a-f]{24}\b",
    re.IGNORECASE,
)

# C0, C1, and what turns the direction of writing; of tracebacks, not their line breaks.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MANY_LINES = ("exception", "stack")
# The secret part of a link: slots have shorter names.
_SECRET_LINK = re.compile(r"(/public/(?:slots|approval)/)[^/?\s\"']{17,}")
# Written by nobody but us. The digits of a time may be those of a secret in hex, and a line without
# its time is no evidence.
_OWN = ("timestamp", "level", "logger", "request_id")
Event = MutableMapping[str, Any]


def mask(logger: Any, method: str, event: Event) -> Event:
    """No secret, whoever writes the line; of ids so much as finds a photo in the console, and opens
    nothing: a processor of structlog."""
    for name, value in event.items():
        if name not in _OWN:
            event[name] = _mask(value)
    return event


def escape_controls(logger: Any, method: str, event: Event) -> Event:
    """A terminal obeys what a path or a header says; JSON escapes it anyway."""
    for name, value in event.items():
        lines = value.split("\n") if isinstance(value, str) and name in _MANY_LINES else [value]
        event[name] = "\n".join(map(_escape, lines)) if len(lines) > 1 else _escape(value)
    return event


def _mask(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        return {_mask(name): _mask(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(inner) for inner in value]
    text = value if isinstance(value, str) else repr(value)  # as the renderers would
    text = _SECRET_LINK.sub(r"\1…", redact(text))
    return _UUID.sub(lambda found: found[1] or found[2], text)


def _escape(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
