"""Read JSON as forgivingly as it can be understood: what stands in it may be paid for.

Gateways and proxies add byte order marks, warnings, other encodings and line breaks; none of it
changes what the answer says.
"""

import json
import re
from typing import Any

from pydantic_core import from_json

PAGE = re.compile(r"\s*<(!doctype|html|head|body|title|\?xml)", re.IGNORECASE)
STREAM = re.compile(r"^data:[ \t]*(\{.*)$", re.MULTILINE)
_LENIENT = json.JSONDecoder(strict=False)  # takes raw line breaks inside of texts


def load_json(body: bytes) -> Any:
    """The value in ``body``. Raises ValueError. Blocking: milliseconds for each megabyte."""
    try:
        return from_json(body, cache_strings=False)
    except ValueError:
        return _load_odd_json(decode_text(body))


def load_cut_json(body: bytes) -> Any:
    """What there is of a value whose end is missing. Raises ValueError."""
    return from_json(body, allow_partial="trailing-strings", cache_strings=False)


def _load_odd_json(text: str) -> Any:
    """JSON with something around it: a warning, a prefix against hijacking, events of a stream."""
    if PAGE.match(text):
        raise ValueError("a page instead of JSON")
    if events := STREAM.findall(text):
        return [_decode(event, 0) for event in events]
    start = re.search(r"[\[{]", text)
    if start is None:
        raise ValueError("no JSON")
    return _decode(text, start.start())


def _decode(text: str, start: int) -> Any:
    try:
        return _LENIENT.raw_decode(text, start)[0]
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def decode_text(body: bytes) -> str:
    """UTF-8 or UTF-16 with or without a mark; where that fails, the Russian code page."""
    try:
        return body.decode(json.detect_encoding(body)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return body.decode("cp1251", errors="replace")


def is_page(body: bytes) -> bool:
    return PAGE.match(decode_text(body[:200])) is not None


def unwrap_list(value: Any) -> Any:
    """The first object of a list of objects, or the value itself."""
    if isinstance(value, list):
        return next((item for item in value if isinstance(item, dict)), value)
    return value
