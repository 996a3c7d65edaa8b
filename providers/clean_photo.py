"""Remove the metadata of a photo before a provider gets it (a phone's EXIF knows where it was)."""

import io
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

from photochanger.pictures import (
    JPEG,
    PNG,
    WEBP,
    Photo,
    Picture,
    UnreadablePicture,
    decode_file,
    encode,
)
from photochanger.pictures.decoding import END_MARKER
from photochanger.pictures.metadata import Ranges, find_ranges_without_metadata, read_bare_jfif
from photochanger.pictures.photo import QUALITY
from photochanger.pictures.plain import is_plain
from photochanger.threads.temporary_files import close_soon, move_to_disk

READING_BYTES = 1024 * 1024
START_RANGE = (0, 2)  # a JPEG's first marker, behind which the first segment is cut


@dataclass(frozen=True, slots=True)
class Slices:
    """Byte ranges of an open file, read as one stream: a photo without its metadata or a copy."""

    file: IO[bytes]
    mime: str
    ranges: Ranges
    is_copy: bool = False  # in memory, or a temporary file that ``close`` deletes
    tail: bytes = b""  # what the file should have had at its end
    head: bytes = b""  # likewise at its beginning

    def close(self) -> None:
        if self.is_copy:
            close_soon(self.file)

    async def move_to_disk(self) -> "Slices":
        """Of a copy in memory, for a long wait."""
        return replace(self, file=await move_to_disk(self.file))

    @property
    def size_bytes(self) -> int:
        ranged = sum(end - start for start, end in self.ranges)
        return len(self.head) + ranged + len(self.tail)

    def read_chunks(self, size: int) -> Iterator[bytes]:
        """The bytes in chunks of exactly ``size``, the last one shorter."""
        pieces: list[bytes] = []
        missing = size
        for piece in self._iter_pieces(size):
            while len(piece) >= missing:
                yield b"".join((*pieces, piece[:missing]))
                piece, pieces, missing = piece[missing:], [], size
            if piece:
                pieces.append(piece)
                missing -= len(piece)
        if pieces:
            yield b"".join(pieces)

    def read_all(self) -> bytes:
        """Blocking. Raises UnreadablePicture."""
        if isinstance(self.file, io.BytesIO) and self.is_copy:
            return self.file.getvalue()  # no second copy
        return b"".join(self.read_chunks(READING_BYTES))

    def _iter_pieces(self, size: int) -> Iterator[bytes]:
        yield self.head
        for start, end in self.ranges:
            self.file.seek(start)
            while start < end:
                piece = self.file.read(min(size, end - start))
                if not piece:
                    raise UnreadablePicture("the photo was truncated while it was read")
                start += len(piece)
                yield piece
        yield self.tail


def clean_photo(photo: Photo, *, max_bytes: int) -> Slices:
    """The photo for a provider: plain, without metadata, at most ``max_bytes`` long.

    Most photos keep every byte of their pixels: the metadata is cut out around them. Only one that
    is not plain, too large, or a WEBP with metadata is encoded again. Blocking
    (up to about 0.5 s for 24 megapixels): call it in a thread. Raises UnreadablePicture.
    """
    if is_plain(photo.header) and (
        ranges := find_ranges_without_metadata(photo.file, photo.size_bytes)
    ):
        tail = find_missing_end(photo.file, photo.mime, ranges)
        head = read_bare_jfif(photo.file) if ranges[0] == START_RANGE else b""
        if head:
            ranges = ranges[1:]
        slices = Slices(photo.file, photo.mime, ranges, tail=tail, head=head)
        if slices.size_bytes <= max_bytes:
            return slices
    return _encode_again(photo, max_bytes=max_bytes)


def make_print_copy(photo: Photo) -> Picture:
    """The photo as a booth prints it: JPEG or PNG, plain, without metadata. Blocking.

    Raises UnreadablePicture.
    """
    if photo.mime == WEBP or photo.header.has_alpha:
        image = decode_file(photo.file, max_megapixels=photo.megapixels).image
        return Picture(body=encode(image, JPEG, quality=QUALITY), mime=JPEG)
    slices = clean_photo(photo, max_bytes=sys.maxsize)
    try:
        return Picture(body=slices.read_all(), mime=slices.mime)
    finally:
        slices.close()


def find_missing_end(file: IO[bytes], mime: str, ranges: Ranges) -> bytes:
    """A JPEG's end marker, where the file lacks it: many decoders refuse the whole for that."""
    if mime != JPEG:
        return b""
    file.seek(ranges[-1][1] - len(END_MARKER))
    return b"" if file.read(len(END_MARKER)) == END_MARKER else END_MARKER


def _encode_again(photo: Photo, *, max_bytes: int) -> Slices:
    """Decode, make plain, and shrink until it fits: first by quality, then by pixels."""
    image, header, _ = decode_file(photo.file, max_megapixels=photo.megapixels, keep_alpha=True)
    mime = PNG if image.mode == "RGBA" else JPEG
    body = encode(image, mime, quality=QUALITY, is_sharp=header.is_sharp)
    if len(body) > max_bytes and mime == JPEG:
        body = encode(image, mime, quality=88)
    while len(body) > max_bytes:
        if max(image.size) == 1:
            raise UnreadablePicture(f"cannot be made smaller than {max_bytes} bytes")
        scale = min(0.95, math.sqrt(max(0, max_bytes) / len(body)))
        image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        body = encode(image, mime, quality=88)
    return Slices(io.BytesIO(body), mime, ((0, len(body)),), is_copy=True)
