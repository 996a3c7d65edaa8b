"""Unpack an answer that comes compressed though none was asked for: it is paid for.

Its bytes decide, not its headers: packed without a word and not packed in spite of one are seen.
"""

import zlib

from photochanger.errors import BadResponse

GZIP = b"\x1f\x8b\x08"
MAX_LAYERS = 2
MAX_PIECES = 16  # each one more copies all that is behind it
AUTO_GZIP, ZLIB, RAW = 31, 15, -15  # window sizes as zlib names the containers


def unpack(body: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """Blocking. Raises BadResponse for more than ``max_bytes`` or ``MAX_PIECES``."""
    for _ in range(MAX_LAYERS):
        packed = body.lstrip(b"\r\n") if body[:1] in b"\r\n" else body
        if packed.startswith(GZIP):
            body = _inflate(packed, AUTO_GZIP, max_bytes)
        elif packed[:1] == b"\x78" and int.from_bytes(packed[:2]) % 31 == 0:
            body, encoding = _inflate(packed, ZLIB, max_bytes), ""
        elif "deflate" in encoding:
            body, encoding = _inflate(body, RAW, max_bytes), ""
    return body


def _inflate(body: bytes, window: int, max_bytes: int) -> bytes:
    """What there is of it: the end may be missing, and a second piece may follow the first."""
    pieces: list[bytes] = []
    left = max_bytes
    while body:
        if len(pieces) == MAX_PIECES:
            raise BadResponse(f"answer packed in more than {MAX_PIECES} pieces")
        inflater = zlib.decompressobj(window)
        try:
            pieces.append(inflater.decompress(body, left + 1))
        except zlib.error:
            return b"".join(pieces) or body  # it was not packed
        left -= len(pieces[-1])
        if left < 0:
            raise BadResponse(f"answer longer than {max_bytes} bytes")
        body = inflater.unused_data if inflater.unused_data.startswith(GZIP) else b""
    return b"".join(pieces)
