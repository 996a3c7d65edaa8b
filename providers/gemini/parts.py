"""The parts of an answer in any spelling: camelCase, snake_case, lists where objects are due."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from providers.lenient import encode_numbers, load_json

# A picture that a gateway writes into a text, as Markdown or bare.
PICTURE_IN_TEXT = re.compile(
    r"(?i:data:image/[a-z0-9.+-]{1,20}(?:;[^,;\s]{1,60}){0,2};base64,)([A-Za-z0-9+/=_\s-]{64,})"
)
BARE_PICTURE = re.compile(r"[\s\"'`]{0,9}(?:[/_]9j[/_]|iVBORw0KGgo|UklGR)[A-Za-z0-9+/=_-]{60}")
LINKED_PICTURE = re.compile(r"!\[[^\[\]\n]{0,200}\]\(\s?https?://")
MAX_DEPTH = 2  # wrappers around an answer
MAX_NESTING = 12  # of an answer, far more than it has
SMALL_CHARS = 50_000  # less is no picture
# Of the enumeration of finish reasons, as gateways hand it on; the higher numbers differ.
FINISH_NUMBERS = {"1": "STOP", "2": "MAX_TOKENS", "3": "SAFETY", "4": "RECITATION"}


@dataclass(frozen=True, slots=True)
class Part:
    """``data`` is the base64 of a picture, or ""."""

    text: str = ""
    data: str = ""
    is_thought: bool = False


@dataclass(slots=True)
class Candidate:
    finish: Any = None
    message: Any = None
    parts: list[Part] = field(default_factory=list)


def read_key(value: dict[str, Any], name: str) -> Any:
    """By its camelCase name, or by any other spelling of it."""
    if name in value:
        return value[name]
    wanted = name.lower()
    spellings = ((re.sub(r"[-_]", "", key[:50]).lower(), item) for key, item in value.items())
    return next((item for spelling, item in spellings if spelling == wanted), None)


def list_chunks(value: Any, depth: int = MAX_DEPTH) -> list[dict[str, Any]]:
    """The objects that make up an answer: of a stream several, and some stand in wrappers."""
    if isinstance(value, str) and depth:
        value = _load_text(value)
    if isinstance(value, list):
        return [chunk for item in value for chunk in list_chunks(item, depth - 1)] if depth else []
    if not isinstance(value, dict):
        return []
    if depth and read_key(value, "candidates") is None:
        inner = [chunk for item in value.values() for chunk in list_chunks(item, depth - 1)]
        if any(read_key(chunk, "candidates") is not None for chunk in inner):
            return inner
    return [value]


def _load_text(text: str) -> Any:
    """JSON that a wrapper holds as a text."""
    if not text[:99].lstrip().startswith(("{", "[")):
        return None
    try:
        return load_json(text.encode(errors="replace"))
    except ValueError:
        return None


def normalize_finish(finish: str) -> str:
    word = finish.upper().removeprefix("FINISH_REASON_")
    return FINISH_NUMBERS.get(word, word)


def shows_unread_picture(value: Any, depth: int = MAX_NESTING) -> bool:
    """Whether an answer tells of a picture, or is so large that it holds one, that is not read.

    Signatures of thoughts are large too.
    """
    if isinstance(value, str):
        return len(value) > SMALL_CHARS or LINKED_PICTURE.search(value) is not None
    items = value if isinstance(value, list) else []
    if isinstance(value, dict):
        address = read_key(value, "fileUri")
        if isinstance(address, str) and address.startswith(("http://", "https://", "gs://")):
            return True
        items = [item for key, item in value.items() if "ignature" not in key]
    return depth > 0 and any(shows_unread_picture(item, depth - 1) for item in items)


def read_candidates(answer: dict[str, Any]) -> Iterator[Candidate]:
    """The first candidate, or the first that holds a picture."""
    listed = [_read_candidate(item) for item in _list_objects(read_key(answer, "candidates"))]
    chosen = next((one for one in listed if any(part.data for part in one.parts)), None)
    if chosen or listed:
        yield chosen or listed[0]


def _read_candidate(candidate: dict[str, Any]) -> Candidate:
    content = read_key(candidate, "content")
    parts = read_key(content, "parts") if isinstance(content, dict) else content
    return Candidate(
        finish=read_key(candidate, "finishReason"),
        message=read_key(candidate, "finishMessage"),
        parts=[_read_part(part) for part in _list_objects(parts)],
    )


def _list_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; one that stands alone is a list of one."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _read_part(part: dict[str, Any]) -> Part:
    text = read_key(part, "text")
    text = str(text) if isinstance(text, str | int | float) else ""
    data = _find_data(part)
    if not data and (found := PICTURE_IN_TEXT.search(text)):
        text, data = "", found[1]
    elif not data and BARE_PICTURE.match(text):
        text, data = "", text
    is_thought = str(read_key(part, "thought")).lower() in ("true", "1")
    return Part(text=text, data=data, is_thought=is_thought)


def _find_data(part: dict[str, Any]) -> str:
    blob = read_key(part, "inlineData")
    if isinstance(blob, dict):
        blob = blob if "0" in blob else read_key(blob, "data")
    if isinstance(blob, str):  # or the data alone
        return blob
    if isinstance(blob, dict | list):
        return _read_buffer(blob)
    file = read_key(part, "fileData")
    address = read_key(file, "fileUri") if isinstance(file, dict) else None
    is_data = isinstance(address, str) and address.startswith("data:")
    return str(address) if is_data else ""


def _read_buffer(value: dict[str, Any] | list[Any]) -> str:
    """Of bytes one by one: a list, perhaps in Node's ``{"type": "Buffer", "data": …}``, or an
    object of them by their places. What there are many of is base64 already (`lenient`)."""
    inner = value if isinstance(value, list) else read_key(value, "data") or list(value.values())
    try:
        return inner if isinstance(inner, str) else encode_numbers(inner)
    except TypeError:
        return ""
