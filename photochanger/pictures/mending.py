"""Copies of a picture that hold only what is read of it, for decoders that refuse the whole for
what stands beside its pixels. Pixels that are damaged stay so."""

import io
import mmap
import re
from collections.abc import Callable
from io import UnsupportedOperation
from typing import IO

from photochanger.pictures.metadata import MAX_JPEG_SEGMENTS, iter_png_chunks

SMALL_BYTES = 1024 * 1024
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
PNG_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
SEGMENT = re.compile(rb"\xff[\xc0-\xcf\xda-\xfe]")
SCAN_MARKER = b"\xff\xda"
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # ITU T.81, table B.1, and T.87
# Those that all programs read, and with arithmetic coding. The others have no loss, or steps of
# refinement: TurboJPEG, asked for a smaller one, writes past the end of its memory.
COMMON_FRAMES, ARITHMETIC_FRAMES = {0xC0, 0xC1, 0xC2}, {0xC9, 0xCA}
READ_FRAMES = {(marker, 8) for marker in COMMON_FRAMES | ARITHMETIC_FRAMES}
NO_FRAME = (0, 0)
BESIDE_PIXELS = (*range(0xE1, 0xEE), 0xEF, 0xFE)  # but for JFIF and Adobe: whose colours they are
# What is read of a JPEG's APP segments: the name, and how long one is at least that says something.
READ_APPS = {
    0xE0: (b"JFIF\0", 14),
    0xE1: (b"", 0),
    0xE2: (b"ICC_PROFILE\0", 15),
    0xEE: (b"Adobe", 12),
}
Bytes = bytes | mmap.mmap


class BareCopy(io.BytesIO):
    """It holds nothing but what is read: who opens it can tell."""


def make_bare_copy(file: IO[bytes]) -> BareCopy | None:
    """Of a PNG or a JPEG, in memory; None where nothing would be left of it."""
    file.seek(0)
    head = file.read(8)
    if head == PNG_SIGNATURE:
        return copy_png(file)
    if head.startswith(b"\xff\xd8"):
        return BareCopy(mend_head(map_bytes(file), is_kept=_is_read))
    return None


def copy_png(file: IO[bytes]) -> BareCopy | None:
    """The chunks of the pixels, with the checksums that they have."""
    size = file.seek(0, 2)
    copy, has_pixels = BareCopy(PNG_SIGNATURE), False
    copy.seek(0, 2)
    for kind, start, end in iter_png_chunks(file):
        if kind not in PNG_PIXEL_CHUNKS:
            continue
        if end > size:
            return None
        has_pixels |= kind == b"IDAT"
        file.seek(start)
        copy.write(file.read(end - start))
    copy.write(PNG_END)
    copy.seek(0)
    return copy if has_pixels else None


def _is_of_pixels(marker: int, data: bytes) -> bool:
    return marker not in BESIDE_PIXELS


def _is_read(marker: int, data: bytes) -> bool:
    if not 0xE0 <= marker <= 0xEF:
        return marker != 0xFE
    name, least_bytes = READ_APPS.get(marker, (b"none", 0))
    return data.startswith(name) and len(data) >= least_bytes


def mend_head(body: Bytes, *, is_kept: Callable[[int, bytes], bool] = _is_of_pixels) -> bytes:
    """A JPEG without what stands between its segments, and without those that say nothing of its
    pixels: a broken profile is an oddity, too.

    ``is_kept`` chooses others, by marker and data.
    """
    pieces, position = [bytes(body[:2])], 2
    for _ in range(MAX_JPEG_SEGMENTS):
        found = SEGMENT.search(body, position)
        if found is None or found[0] == SCAN_MARKER:
            break
        end = found.end() + max(2, int.from_bytes(body[found.end() : found.end() + 2]))
        if is_kept(found[0][1], bytes(body[found.end() + 2 : end])):
            pieces.append(bytes(body[found.start() : end]))
        position = end
    return b"".join((*pieces, bytes(body[found.start() if found else position :])))


def find_frame(body: Bytes) -> tuple[int, int]:
    """How a JPEG's pixels are coded: its frame's marker and bits of a sample; zeros without any.

    Segments are skipped just as decoders skip them, so that they and this see the same frame.
    """
    position = 2
    while (found := SEGMENT.search(body, position)) and found[0] != SCAN_MARKER:
        marker, start = found[0][1], found.end()
        if marker in FRAMES:
            return marker, int.from_bytes(body[start + 2 : start + 3])
        position = start + max(2, int.from_bytes(body[start : start + 2]))
    return NO_FRAME


def map_bytes(file: IO[bytes]) -> Bytes:
    """The file's bytes without a copy in memory, where it is a large one on disk."""
    size = file.seek(0, 2)
    file.seek(0)
    if size > SMALL_BYTES:
        try:
            file.flush()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (UnsupportedOperation, OSError, ValueError):
            file.seek(0)  # in memory after all
    return file.read()
