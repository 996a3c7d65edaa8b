"""What a long word says when it is read as base64, base32 or hex: pure functions.

Bytes of a secret begin at any bit of such a word, so it is read at every place where they may.
"""

import base64
import re
from collections.abc import Iterator

# Base64 of ASCII has letters and digits alone, at least outside of the rare signs ">", "?" and "~".
# A request's id has 16 signs; names such as candidatesTokensDetails have no digit.
LONG_WORD = re.compile(r"[0-9A-Za-z]{18,}+(?:(?<![A-Za-z]{18})|(?<=[0-9A-Za-z]{24}))")
_BASE32 = re.compile(r"[A-Z2-7]{16,}", re.IGNORECASE)
_HEX = re.compile(r"[0-9A-F]{16,}", re.IGNORECASE)
_LETTER = re.compile(rb"[0-9A-Za-z]")
_TO_INT = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")
_OTHER = bytes(code for code in range(256) if not _LETTER.match(bytes([code])))
DEPTH = 2  # base64 of base64


def list_readings(word: str, depth: int = DEPTH) -> Iterator[str]:
    """The letters and digits, small, of all that ``word`` may say.

    At most some 70 readings, none longer than the word.
    """
    for raw in _read_base64(word):
        yield _squeeze(raw)
        if depth > 1:
            for inner in LONG_WORD.findall(raw.decode("latin-1")):
                yield from list_readings(inner, depth - 1)
    for part in _BASE32.findall(word):
        yield from map(_squeeze, _shift(int(part.upper().translate(_TO_INT), 32), len(part), 5))
    for part in _HEX.findall(word):
        yield from map(_squeeze, _shift(int(part, 16), len(part), 4))


def _read_base64(word: str) -> Iterator[bytes]:
    whole = base64.b64decode(word + "A" * (-len(word) % 4))
    return _shift(int.from_bytes(whole), len(whole) * 8 // 6, 6)


def _shift(number: int, digits: int, bits: int) -> Iterator[bytes]:
    """The bytes of so many digits, ending at each bit of the last where a byte may end."""
    size = (digits * bits + 7) // 8
    for shift in range(0, 8, bits & -bits):
        yield (number >> shift).to_bytes(size)


def _squeeze(raw: bytes) -> str:
    return raw.translate(None, _OTHER).lower().decode("ascii")
