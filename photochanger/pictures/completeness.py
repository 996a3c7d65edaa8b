"""Whether a decoder filled in what a file lacks: both of these say nothing of it.

What is looked at first is a few bytes. Only a picture with a black edge, or a file that ends with
zeros, is looked at closely, for as long as it takes to decode it once more.
"""

import io
import struct
import zlib
from typing import IO

from PIL import Image

from photochanger.pictures.metadata import find_webp_pixels, iter_png_chunks

PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by IHDR's number of the colours
# Of an interlaced PNG: where each pass begins, across and down, and its steps.
PNG_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
UNPACKING_BYTES = 256 * 1024
WEBP_LAST_BYTES = 64
WEBP_LAST_ROWS = 8 * 16  # eight streams of blocks, of which the file ends with one


def is_complete(image: Image.Image, file: IO[bytes]) -> bool:
    """``image``: what Pillow has decoded from ``file``. Blocking."""
    if image.format == "PNG":
        return not _has_empty_row(image) or _has_all_rows(file)
    return image.format != "WEBP" or _uses_last_bytes(image, file)


def _has_empty_row(image: Image.Image) -> bool:
    """At the end, where Pillow leaves zeros for rows that are not there: of the last two, since an
    interlaced picture's last pass has only every other one."""
    top = max(0, image.height - 2)
    rows = (image.crop((0, y, image.width, y + 1)).tobytes() for y in range(top, image.height))
    return not all(map(any, rows))


def _has_all_rows(file: IO[bytes]) -> bool:
    """Whether the pixels of a PNG are as many bytes as its size needs, once unpacked."""
    missing, unpacker, has_pixels = 0, zlib.decompressobj(), False
    for kind, start, end in iter_png_chunks(file):
        file.seek(start + 8)
        if kind == b"IHDR":
            missing = count_png_bytes(file.read(13))
        elif kind == b"IDAT":
            has_pixels = True
            missing -= _count_unpacked(unpacker, file.read(end - start - 12), missing)
        if missing <= 0 or unpacker.eof:
            break
    return missing <= 0 or not has_pixels


def count_png_bytes(header: bytes) -> int:
    """How long the pixels of a PNG are, unpacked; each row has one byte more."""
    width, height, depth, colours, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    bits, total = depth * PNG_CHANNELS[colours], 0
    for x, y, across, down in PNG_PASSES if is_interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _count_unpacked(unpacker: "zlib._Decompress", data: bytes, most: int) -> int:
    """At most about ``most``, a part at a time."""
    count = 0
    while data and count < most and not unpacker.eof:
        count += len(unpacker.decompress(data, UNPACKING_BYTES))
        data = unpacker.unconsumed_tail
    return count


def _uses_last_bytes(image: Image.Image, file: IO[bytes]) -> bool:
    """A file that was made at its full length and not written to its end has zeros there, which
    are pixels to the decoder; it needs fewer than there are. Zeros of a flat picture are needed.
    """
    _, end = find_webp_pixels(file)
    last = slice(max(0, end - WEBP_LAST_BYTES), end)
    file.seek(last.start)
    if not end or any(file.read(end - last.start)):
        return True
    file.seek(0)
    body = bytearray(file.read())
    body[last] = b"\xff" * (end - last.start)
    try:
        with Image.open(io.BytesIO(body), formats=("WEBP",)) as other:
            box = (0, max(0, image.height - WEBP_LAST_ROWS), *image.size)
            return other.crop(box).tobytes() != image.crop(box).tobytes()
    except Exception:  # see open_image
        return True
