"""Remove the metadata of a photo before a provider gets it (a phone's EXIF knows where it was)."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from PIL import Image

from photochanger.errors import StorageError
from providers.metadata import Ranges, find_ranges_without_metadata
from providers.pictures import (
    JPEG,
    PNG,
    Photo,
    UnreadablePicture,
    decode_upright,
    encode,
    open_image,
)


@dataclass(frozen=True, slots=True)
class Slices:
    """Byte ranges of an open file, read as one stream: a photo without its metadata or a copy."""

    file: IO[bytes]
    mime: str
    ranges: Ranges
    is_copy: bool = False  # the file is temporary and deleted by ``close``

    def close(self) -> None:
        if self.is_copy:
            self.file.close()

    @property
    def size_bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)

    def read_chunks(self, size: int) -> Iterator[bytes]:
        """The bytes in chunks of exactly ``size``, the last one shorter."""
        pieces: list[bytes] = []
        missing = size
        for start, end in self.ranges:
            self.file.seek(start)
            while start < end:
                piece = self.file.read(min(missing, end - start))
                if not piece:
                    raise UnreadablePicture("the photo was truncated while it was read")
                start += len(piece)
                missing -= len(piece)
                pieces.append(piece)
                if not missing:
                    yield b"".join(pieces)
                    pieces, missing = [], size
        if pieces:
            yield b"".join(pieces)


def clean_photo(photo: Photo, *, max_bytes: int) -> Slices:
    """The photo for a provider: upright, without metadata, at most ``max_bytes`` long.

    Most photos keep every byte of their pixels: the metadata is cut out around them. Only a photo
    that is rotated, too large, or a WEBP with metadata is encoded again. Blocking
    (up to about 0.5 s for 24 megapixels): call it in a thread.
    """
    if photo.orientation == 1 and (
        ranges := find_ranges_without_metadata(photo.file, photo.size_bytes)
    ):
        slices = Slices(photo.file, photo.mime, ranges)
        if slices.size_bytes <= max_bytes:
            return slices
    return _encode_again(photo, max_bytes=max_bytes)


def _encode_again(photo: Photo, *, max_bytes: int) -> Slices:
    """Decode, rotate, and shrink until it fits: first by quality, then by pixels."""
    image = _decode_photo(photo)
    mime = PNG if image.mode == "RGBA" else JPEG
    body = encode(image, mime, quality=93)
    if len(body) > max_bytes and mime == JPEG:
        body = encode(image, mime, quality=88)
    while len(body) > max_bytes:
        if max(image.size) == 1:
            raise UnreadablePicture(f"cannot be made smaller than {max_bytes} bytes")
        scale = min(0.95, math.sqrt(max(0, max_bytes) / len(body)))
        image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        body = encode(image, mime, quality=88)
    return Slices(_spool(body), mime, ((0, len(body)),), is_copy=True)


def _decode_photo(photo: Photo) -> Image.Image:
    pixels = photo.width * photo.height  # within the limit, which was checked at the upload
    with open_image(photo.file, max_megapixels=pixels // 1_000_000 + 1) as image:
        return decode_upright(image, photo.orientation)


def _spool(body: bytes) -> IO[bytes]:
    """Write to disk, so that an encoded copy takes no memory while a provider works."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  Slices.close() ends it
    try:
        file.write(body)
        file.flush()
    except OSError as exc:
        file.close()
        raise StorageError(f"the photo cannot be spooled: {exc.strerror}") from exc
    return file
