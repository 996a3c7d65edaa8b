"""Where Turbotext's answers keep what: in any spelling of a key, in any place and packing.

No sample shows more than one way, and no field is certain: an odd value reads as absent.
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from photochanger.parsing import make_printable
from providers.lenient import bound_structure

Fields = dict[str, Any]  # by their keys in lower case, without - and _

MAX_NODES, MAX_TEXT = 200, 2000  # of an answer that are looked at
# The documented name first; the others count only beside a success.
ORDER_NUMBERS = ("queueid", "asyncid", "taskid", "orderid", "jobid", "id", "queue")
STATES = ("action", "status", "state")
PICTURES = ("uploadedimage", "image", "images")
PICTURE_KEY = re.compile(r"image|picture|photo|img|result|output|download")
PICTURE_NAME = re.compile(r"\.(?:png|jpe?g|webp)(?!\w)", re.IGNORECASE)
ADDRESS = re.compile(
    r"(?:https?:)?//.+|/\S+|\S+\.(?:png|jpe?g|webp)(?!\w)\S*|\S+\?\S+=\S+", re.IGNORECASE
)
ERROR_KEY = re.compile(r"err.*")
MESSAGE_KEY = re.compile(r"message|msg|detail|details|description|reason")
NOTHING = ("", "0", "none", "null", "false", "no", "[]", "{}", "undefined", "nan")
NO_ERROR = ("ok", "success", "no error", "нет")


def list_fields(answer: Any) -> list[Fields]:
    """The objects of an answer, the outermost first; a text that is JSON counts as what it says."""
    found: list[Fields] = []
    waiting, seen = deque([answer]), 0
    while waiting and seen < MAX_NODES:
        seen += 1
        value = waiting.popleft()
        if isinstance(value, str):
            value = _load_text(value)
        if isinstance(value, dict):
            found.append({re.sub(r"[-_\s]", "", key[:50]).lower(): value[key] for key in value})
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            waiting += [item for item in inner if isinstance(item, dict | list | str)][:MAX_NODES]
    return found


def _load_text(text: str) -> Any:
    body = text.strip().encode(errors="replace")
    try:
        bound_structure(body, may_hold_bytes=False)
        return from_json(body) if body[:1] in (b"{", b"[", b'"') else None
    except ValueError:
        return None


def find_values(fields: list[Fields], *names: str) -> Iterator[Any]:
    """What stands under the first name, the outermost first, then under the next one."""
    return (found[name] for name in names for found in fields if name in found)


def read_text(value: Any) -> str:
    """A text made printable, a whole number, or the first of a list of them; "" for no value."""
    if isinstance(value, list):
        return next(filter(None, map(read_text, value[:MAX_NODES])), "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON of other languages has no whole numbers
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = make_printable(str(value)[:MAX_TEXT], MAX_TEXT).strip()
    return "" if text.lower() in NOTHING else text


def find_text(fields: list[Fields], *names: str) -> str:
    return next(filter(None, map(read_text, find_values(fields, *names))), "")


def list_words(fields: list[Fields], keys: re.Pattern[str]) -> list[str]:
    """What is said under such keys, however deep; a number where nothing else is."""
    values = [found[key] for found in fields for key in found if keys.fullmatch(key)]
    texts = [text for value in values for text in iter_texts(value)]
    numbers = filter(None, (read_text(value) for value in values if not isinstance(value, str)))
    said = dict.fromkeys(texts or numbers)
    return [text for text in said if text.lower() not in NO_ERROR]


def iter_texts(value: Any) -> Iterator[str]:
    """The texts in a value at any depth, in their order."""
    waiting, seen = [value], 0
    while waiting and seen < MAX_NODES:
        seen += 1
        item = waiting.pop()
        if isinstance(item, str):
            item = _load_text(item) or item
        if isinstance(item, dict | list):
            inner = list(item.values() if isinstance(item, dict) else item)
            waiting += reversed(inner[:MAX_NODES])
        elif isinstance(item, str) and (text := read_text(item)):
            yield text


def list_pictures(fields: list[Fields]) -> list[str]:
    """The addresses of pictures: under their documented keys, then whatever looks like one."""
    named = [
        text
        for value in find_values(fields, *PICTURES)
        for text in iter_texts(value)
        if _is_plain(value) or ADDRESS.fullmatch(text)
    ]
    others = [
        text
        for found in fields
        for key, value in found.items()
        for text in (iter_texts(value) if _is_plain(value) else ())
        if key != "urlimagetarget" and ADDRESS.fullmatch(text)  # that one is the guest's photo
        if PICTURE_KEY.search(key) or PICTURE_NAME.search(text)
    ]
    return list(dict.fromkeys(named + others))


def _is_plain(value: Any) -> bool:
    """A text that is no JSON, or a list of them."""
    items = value[:MAX_NODES] if isinstance(value, list) else [value]
    return all(item is None or (isinstance(item, str) and not _load_text(item)) for item in items)
