"""Base64 as services, gateways and proxies write it. Pure, and blocking for megabytes."""

import re
from urllib.parse import unquote_to_bytes

import pybase64

DATA_URI = re.compile(rb"\s*[\"']?\s*data:[^,]{0,200},", re.IGNORECASE)
STANDARD = bytes.maketrans(b"-_", b"+/")
# Whatever carries nothing: blanks, line breaks (also spelled out), quotes of a text in a text.
_EMPTY = b" \t\r\n\v\f\0\"'\\"


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
