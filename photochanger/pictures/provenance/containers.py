"""Where JPEG, PNG and WEBP keep content credentials (C2PA) and XMP; nothing is decoded.

A file comes from outside: what it promises and does not hold ends the search, quietly.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from photochanger.pictures.header import JPEG, PNG, WEBP
from photochanger.pictures.provenance.ai_mark import JPEG_XMP, PNG_XMP

MAX_PARTS = 20_000  # segments or chunks of a file
MAX_STORE_BYTES = 8 * 1024 * 1024  # with thumbnails of what a picture was made from
MAX_XMP_BYTES = 256 * 1024
JUMBF_HEAD = b"JP"
Part = tuple[bytes, memoryview]


class Carried(NamedTuple):
    """The bytes of the C2PA store and of the XMP packet; empty where there is none."""

    store: bytes
    xmp: bytes


def find_carried(body: bytes, mime: str | None) -> Carried:
    """Under 1 ms, whatever the size of the picture."""
    view = memoryview(body)
    if mime == JPEG:
        return _read_jpeg(view)
    if mime == PNG:
        return _read_png(view)
    return _read_webp(view) if mime == WEBP else Carried(b"", b"")


def _read_jpeg(view: memoryview) -> Carried:
    boxes: list[memoryview] = []
    xmp = b""
    for marker, data in _iter_segments(view):
        if marker == b"\xeb" and data[:2] == JUMBF_HEAD:
            boxes.append(data)
        elif marker == b"\xe1" and data[: len(JPEG_XMP)] == JPEG_XMP:
            xmp = xmp or bytes(data[len(JPEG_XMP) :])
    return Carried(_join_boxes(boxes) if boxes else b"", xmp[:MAX_XMP_BYTES])


def _iter_segments(view: memoryview) -> Iterator[Part]:
    """Those before the pixels."""
    position = 2
    for _ in range(MAX_PARTS):
        head = bytes(view[position : position + 4])
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        if head[1] == 0xFF:  # padding before a marker
            position += 1
            continue
        length = int.from_bytes(head[2:4])
        yield head[1:2], view[position + 4 : position + 2 + length]
        position += 2 + max(2, length)


def _join_boxes(parts: list[memoryview]) -> bytes:
    """APP11: "JP", the box's number (2 bytes), the part's (4), and the head of the box in each."""
    numbered = sorted(parts, key=lambda part: (bytes(part[2:4]), bytes(part[4:8])))
    joined: list[memoryview] = []
    last = b""
    for part in numbered:
        box = bytes(part[2:4])
        head = 16 if int.from_bytes(part[8:12]) == 1 else 8
        joined.append(part[8:] if box != last else part[8 + head :])
        last = box
    return b"".join(joined)[:MAX_STORE_BYTES]


def _read_png(view: memoryview) -> Carried:
    store, xmp = b"", b""
    for kind, data in _iter_chunks(view, start=8, is_png=True):
        if kind == b"caBX":
            store = store or bytes(data[:MAX_STORE_BYTES])
        elif kind == b"iTXt" and bytes(data[: len(PNG_XMP)]) == PNG_XMP:
            xmp = xmp or _read_text(bytes(data[: MAX_XMP_BYTES + 100]))
    return Carried(store, xmp)


def _read_text(data: bytes) -> bytes:
    """Of an iTXt chunk: name 0 compressed method language 0 translated name 0 text."""
    is_packed = data[len(PNG_XMP) + 1 : len(PNG_XMP) + 2] == b"\1"
    text = data[len(PNG_XMP) + 3 :].split(b"\0", 2)[-1]
    if not is_packed:
        return text
    try:
        return zlib.decompressobj().decompress(text, MAX_XMP_BYTES)
    except zlib.error:
        return b""


def _read_webp(view: memoryview) -> Carried:
    found = {kind: data for kind, data in _iter_chunks(view, start=12, is_png=False)}
    store, xmp = found.get(b"C2PA", b""), found.get(b"XMP ", b"")
    return Carried(bytes(store[:MAX_STORE_BYTES]), bytes(xmp[:MAX_XMP_BYTES]))


def _iter_chunks(view: memoryview, *, start: int, is_png: bool) -> Iterator[Part]:
    """Of a PNG: length, kind, data, checksum. Of a RIFF: kind, length, data, to an even length."""
    position = start
    for _ in range(MAX_PARTS):
        head = bytes(view[position : position + 8])
        if len(head) < 8:
            return
        kind = head[4:] if is_png else head[:4]
        length = int.from_bytes(head[:4]) if is_png else int.from_bytes(head[4:], "little")
        yield kind, view[position + 8 : position + 8 + length]
        position += 8 + length + (4 if is_png else length % 2)
