"""JSON and base64 as services, gateways and proxies write them: what stands in it may be paid for.

They add byte order marks, warnings, other encodings, alphabets and line breaks; none of it changes
what the answer says. Pure, and blocking for megabytes.
"""

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import pybase64
from pydantic_core import from_json

PAGE = re.compile(r"\s*<(!doctype|html|head|body|title|\?xml)", re.IGNORECASE)
STREAM = re.compile(r"^data:[ \t]*(\{.*)$", re.MULTILINE)
_LENIENT = json.JSONDecoder(strict=False)  # takes raw line breaks inside of texts
DATA_URI = re.compile(rb"\s*[\"']?\s*data:[^,]{0,200},", re.IGNORECASE)
STANDARD = bytes.maketrans(b"-_", b"+/")
SMALL_BYTES = 64 * 1024
MAX_STRUCTURE = 50_000  # commas and opening brackets: an answer has dozens, base64 has none
# Whatever carries nothing: blanks, line breaks (also spelled out), quotes of a text in a text.
_EMPTY = b" \t\r\n\v\f\0\"'\\"


class TooMuchStructure(ValueError):
    """JSON of so many small values that they would take gigabytes of memory."""


def load_json(body: bytes) -> Any:
    """The value in ``body``. Raises ValueError. Blocking: milliseconds for each megabyte."""
    check_structure(body)
    try:
        return from_json(body, cache_strings=False)
    except ValueError:
        return _load_odd_json(decode_text(body))


def load_cut_json(body: bytes) -> Any:
    """What there is of a value whose end is missing. Raises ValueError."""
    check_structure(body)
    return from_json(body, allow_partial="trailing-strings", cache_strings=False)


def check_structure(body: bytes) -> None:
    """Raises TooMuchStructure. These bytes are counted in any encoding."""
    if len(body) > SMALL_BYTES and sum(map(body.count, (b",", b"[", b"{"))) > MAX_STRUCTURE:
        raise TooMuchStructure("too many values")


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


def decode_base64(text: str) -> bytes:
    """The bytes of either alphabet, with or without padding, line breaks, or ``data:`` before it.

    Raises ValueError.
    """
    try:
        return pybase64.b64decode(text, validate=True)  # nearly always: no copy is made
    except ValueError:
        return _decode_odd_base64(text.encode("ascii"))  # UnicodeEncodeError is a ValueError


def _decode_odd_base64(data: bytes) -> bytes:
    if match := DATA_URI.match(data):
        data = data[match.end() :]
    data = re.sub(rb"\\[rnt]", b"", data) if b"\\" in data else data
    data = unquote_to_bytes(data) if b"%" in data else data
    data = _restore_plus(data.strip()).translate(STANDARD, _EMPTY)
    pieces = [piece for piece in re.split(rb"=+", data) if piece]  # each may have been padded
    if not pieces:
        raise ValueError("nothing in it")
    return b"".join(
        pybase64.b64decode(piece + b"=" * (-len(piece) % 4), validate=True) for piece in pieces
    )


def _restore_plus(data: bytes) -> bytes:
    """Forms turn a plus into a blank: so it is where blanks cut the text as nobody would."""
    sizes = [len(piece) for piece in data.split(b" ")[:-1]]
    is_cut_on_purpose = len(set(sizes)) <= 1 or not any(size % 4 for size in sizes)
    return data if is_cut_on_purpose else data.replace(b" ", b"+")
