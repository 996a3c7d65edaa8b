"""JSON and base64 as services, gateways and proxies write them: what stands in it may be paid for.

They add byte order marks, warnings, other encodings, alphabets and line breaks; none of it changes
what the answer says. Pure, and blocking for megabytes.
"""

import itertools
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy
import pybase64
from pydantic_core import from_json

from photochanger.errors import BadResponse
from providers.unpacking import unpack

PAGE = re.compile(r"\s*<(!doctype|html|head|body|title|\?xml)", re.IGNORECASE)
MAX_TEXT_BYTES = 32 * 1024 * 1024
MAX_FAILURES, NOISE_CHARS = 64, 200  # brackets that are no JSON, and how far one may lead
BRACKET = re.compile(r"[\[{](?=\s{0,99}[\"\[{\]}\dtfnN-])")
LAST_COMMA = re.compile(r",(?=\s{0,99}[\]}])")
NO_VALUE = re.compile(r"([:\[,]\s{0,99})(?:nan|undefined)(?=\s{0,99}[,\]}])", re.IGNORECASE)
FIRST_KEY = re.compile(r"\{\s{0,99}\"[^\"]{0,99}\"\s{0,99}:")
STREAM = re.compile(r"^data:[ \t]*(\{.*)$", re.MULTILINE)
# A key and its value wherever they stand: quoted in any way, perhaps the first of a list; a word
# only where something ends it, as a cut number is another one.
PAIR = re.compile(
    r"""(?<![\w-])(["']?)(?P<key>[\w-]{1,50})\1\s{0,99}(?::|=>)[\s\[]{0,99}(?:"""
    r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\]){0,4000})(?P=quote)"""
    r"""|(?P<word>[\w.+-]{1,99})(?=\s{0,99}[,}\]]))""",
    re.DOTALL,
)
MAX_PAIRS = 200
_LENIENT = json.JSONDecoder(strict=False)  # takes raw line breaks inside of texts
BEFORE_BASE64 = re.compile(
    rb"data:[^,]{0,200},|([a-z]{1,20}/[a-z0-9.+-]{1,40};)?base64,|b(?=[\"'])", re.IGNORECASE
)
STANDARD = bytes.maketrans(b"-_", b"+/")
SMALL_BYTES = 64 * 1024
MAX_STRUCTURE = 50_000  # commas and opening brackets: an answer has dozens, base64 has none
# Whatever carries nothing: blanks, line breaks (also spelled out), quotes of a text in a text.
_EMPTY = b" \t\r\n\v\f\0\"'\\"
_AROUND = _EMPTY + b"`;:.,()[]{}"
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00a0\u2028\u2029"
# As addresses, pages and texts in texts write what is special to them.
SPELLED_OUT = tuple(
    (spelled, meant)
    for meant, ways in (
        (b"%", b"%25"),
        (b"+", b"%2B %2b &#43; &#x2B; &#x2b; &plus; \\u002B \\u002b"),
        (b"/", b"%2F %2f &#47; &#x2F; &#x2f; &sol; \\u002F \\u002f"),
        (b"=", b"%3D %3d &#61; &#x3D; &#x3d; &equals; \\u003D \\u003d"),
        (b"", b"%0A %0a %0D %0d &#10; &#13; \\r \\n \\t"),
    )
    for spelled in ways.split()
)
MAX_PADDING = 10_000


# Bytes one by one, as programs write a buffer that they do not encode: a list, or by their places.
BYTES = re.compile(rb"[\[{][-\d\s,:\"]{999,}+[\]}]")


class TooMuchStructure(ValueError):
    """JSON of so many small values that they would take gigabytes of memory."""


def load_json(body: bytes, *, max_bytes: int = MAX_TEXT_BYTES) -> Any:
    """The value in ``body``; a list where several objects follow one another.

    One that is packed is at most ``max_bytes`` long. Raises ValueError. Blocking: milliseconds for
    each megabyte.
    """
    if len(body) > SMALL_BYTES:
        body = bound_structure(body)
    try:
        return from_json(body, cache_strings=False)
    except ValueError:
        return _load_odd_json(_decode_odd_text(body, max_bytes))


def load_cut_json(body: bytes, *, max_bytes: int = MAX_TEXT_BYTES) -> Any:
    """What there is of a value whose end is missing. Raises ValueError.

    Its last text and number may be cut.
    """
    if len(body) > SMALL_BYTES:
        body = bound_structure(body)
    try:
        return _load_partial(body)
    except ValueError:
        text = _decode_odd_text(body, max_bytes)
        return _load_partial(text[_find_values(text)[1] :].encode(errors="replace"))


def load_pairs(body: bytes, *, max_bytes: int = MAX_TEXT_BYTES) -> list[dict[str, str]]:
    """What a text that is nearly JSON says under its keys, each pair for itself.

    Raises ValueError for a page, and for what is too long.
    """
    pairs = itertools.islice(PAIR.finditer(_decode_odd_text(body, max_bytes)), MAX_PAIRS)
    return [{pair["key"]: pair["word"] or _unescape(pair["text"] or "")} for pair in pairs]


def _unescape(text: str) -> str:
    with suppress(ValueError):
        return str(_LENIENT.decode('"' + text.replace("\\'", "'") + '"'))
    return text.replace("\\/", "/")


def _load_partial(body: bytes) -> Any:
    return from_json(body, allow_partial="trailing-strings", cache_strings=False)


def bound_structure(body: bytes, *, may_hold_bytes: bool = True) -> bytes:
    """The same, with bytes that stand there one by one as base64. Raises TooMuchStructure. Its
    marks are found in any encoding.

    An ordinary answer has so few that jumping from one to the next is 20 times faster than
    ``count``, which would take longer than the parser does.
    """
    left = MAX_STRUCTURE
    for mark in (b",", b"[", b"{"):
        at = body.find(mark)
        while at >= 0:
            left -= 1
            if left < 0 and may_hold_bytes:
                return bound_structure(BYTES.sub(_encode_bytes, body), may_hold_bytes=False)
            if left < 0:
                raise TooMuchStructure("too many values")
            at = body.find(mark, at + 1)
    return body


def _encode_bytes(found: re.Match[bytes]) -> bytes:
    """By an array, since a list of 32 MB of numbers takes half a gigabyte."""
    text = found[0][1:-1]
    try:
        numbers = numpy.fromstring(text.translate(None, b'"').replace(b":", b","), "i4", sep=",")
    except ValueError:
        return found[0]
    numbers = numbers[1::2] if b":" in text else numbers
    return b'"' + pybase64.b64encode(numbers.astype("u1").tobytes()) + b'"'


def encode_numbers(numbers: Iterable[int]) -> str:
    """Bytes one by one, of which some programs make negative numbers, as base64. TypeError: they
    are something else."""
    return pybase64.b64encode(bytes(number & 0xFF for number in numbers)).decode()


def _decode_odd_text(body: bytes, max_bytes: int) -> str:
    """The text of JSON that cannot be read as it stands: packed, or not quite JSON.

    Raises ValueError for what is no JSON.
    """
    try:
        body = unpack(body, "", max_bytes=max_bytes)
    except BadResponse as exc:
        raise ValueError("packed, and too long") from exc
    if len(body) > SMALL_BYTES:
        body = bound_structure(body)
    text = decode_text(body)
    if PAGE.match(text):
        raise ValueError("a page instead of JSON")
    return NO_VALUE.sub(r"\1null", LAST_COMMA.sub("", text))


def _load_odd_json(text: str) -> Any:
    """JSON with something around it: a warning, a prefix against hijacking, events of a stream."""
    pieces = STREAM.findall(text) or [text]
    values = [value for piece in pieces for value in _find_values(piece)[0]]
    objects = [item for value in values for item in _list_objects(value)]
    if len(values) > 1 and objects:
        return objects if len(objects) > 1 else objects[0]
    if not values:
        raise ValueError("no JSON")
    return values[0]


def _find_values(text: str) -> tuple[list[Any], int]:
    """The values of a text one after the other, and where the rest begins that is none.

    A bracket of a warning is soon found to begin no JSON. What is broken further on is a broken
    answer, whose inner objects must not pass for it.
    """
    values, at, failures, end = [], 0, 0, len(text.rstrip())
    while failures < MAX_FAILURES and (start := BRACKET.search(text, at)):
        at = start.start()
        try:
            value, at = _LENIENT.raw_decode(text, at)
            values.append(value)
        except json.JSONDecodeError as exc:
            is_cut = exc.msg.startswith("Unterminated") or exc.pos >= end
            if is_cut or exc.pos - at > NOISE_CHARS or FIRST_KEY.match(text, at):
                break
            at, failures = at + 1, failures + 1
        except (ValueError, RecursionError):  # a number of thousands of digits
            break
    return values, at


def _list_objects(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


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
        return _decode_odd_base64(text)


def _decode_odd_base64(text: str) -> bytes:
    for char in INVISIBLE:
        text = text.replace(char, "")
    data = text.encode("ascii")  # UnicodeEncodeError is a ValueError
    for spelled, meant in SPELLED_OUT:
        data = data.replace(spelled, meant)
    data = data.strip(_AROUND)
    if match := BEFORE_BASE64.match(data):
        data = data[match.end() :].strip(_AROUND)
    data = _restore_plus(data).translate(STANDARD, _EMPTY)
    if data.count(b"=") > MAX_PADDING:
        raise ValueError("too many pieces")
    pieces = [piece for piece in re.split(rb"=+", data) if piece]  # each may have been padded
    if not pieces:
        raise ValueError("nothing in it")
    return b"".join(
        pybase64.b64decode(piece + b"=" * (-len(piece) % 4), validate=True) for piece in pieces
    )


def _restore_plus(data: bytes) -> bytes:
    """Forms turn a plus into a blank: so it is where blanks cut the text as nobody would."""
    before_last = data[: data.rfind(b" ") + 1]
    sizes = {len(piece[1]) for piece in re.finditer(rb"([^ ]*) ", before_last)}
    is_cut_on_purpose = len(sizes) <= 1 or not any(size % 4 for size in sizes)
    return data if is_cut_on_purpose else data.replace(b" ", b"+")
