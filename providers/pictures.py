"""Pictures as bytes: what they are, whether they can be trusted, and how they leave us.

The type of a picture is always told by its bytes. Names, declared types and metadata come from
outside and are never believed; metadata never leaves (a guest's phone knows where it was).
"""

import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
PIL_FORMATS = ("JPEG", "PNG", "WEBP")
ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture whole in memory, its type told by its bytes; nothing else is known of it yet."""

    body: bytes
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo that came in: on disk above a small size, so that waiting costs no memory.

    ``file`` is seekable and belongs to whoever received it; ``sha256`` is of the bytes as sent.
    ``width`` and ``height`` are in pixels as stored, before ``orientation`` (EXIF, 1-8) is applied.
    """

    file: IO[bytes]
    size_bytes: int
    sha256: str
    mime: str
    width: int
    height: int
    orientation: int = 1


class UnreadablePicture(ValueError):
    """The bytes are no picture of an accepted type, or a broken or absurd one."""


def sniff(head: bytes) -> str | None:
    """The MIME type told by the first 16 bytes, or None when it is none of the accepted three."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    return None


def read_header(file: IO[bytes], *, max_megapixels: int) -> tuple[int, int, int]:
    """Width, height and EXIF orientation of a picture, from its header only (under 1 ms).

    Raises UnreadablePicture when the header does not decode or promises too many pixels.
    """
    with _opened(file, max_megapixels=max_megapixels) as image:
        width, height = image.size
        # A PNG's EXIF may stand behind its pixels; asking for it would decode them all.
        has_exif = image.format != "PNG" or "exif" in image.info
        orientation = _orientation(image) if has_exif else 1
    return width, height, orientation


def decode(body: bytes, *, max_megapixels: int) -> tuple[Image.Image, str]:
    """Decode every pixel of a picture; returns it with its MIME type.

    Raises UnreadablePicture for a wrong type, a truncated file or a decompression bomb.
    """
    mime = sniff(body[:16])
    if mime is None:
        raise UnreadablePicture("neither JPEG, PNG nor WEBP")
    with _opened(io.BytesIO(body), max_megapixels=max_megapixels) as image:
        image.load()
        return image, mime


@contextmanager
def _opened(file: IO[bytes], *, max_megapixels: int) -> Iterator[Image.Image]:
    """The picture in ``file``, its pixels counted and not yet decoded.

    Whatever the decoder raises in the block becomes UnreadablePicture.
    """
    file.seek(0)
    try:
        image = Image.open(file, formats=PIL_FORMATS)
        if image.width * image.height > max_megapixels * 1_000_000:
            raise UnreadablePicture(f"has {image.width}x{image.height} pixels")
        yield image
    except UnreadablePicture:
        raise
    # Pillow's plugins raise many kinds of errors on hostile bytes; each means "unreadable".
    except Exception as exc:
        raise UnreadablePicture(f"does not decode: {type(exc).__name__}") from exc
    finally:
        file.seek(0)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def encode(image: Image.Image, mime: str, *, quality: int) -> bytes:
    """Encode without metadata (the colour profile stays, or colours would shift)."""
    if mime == JPEG and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    out = io.BytesIO()
    options = {"quality": quality} if mime != PNG else {"compress_level": 4}
    profile = image.info.get("icc_profile")
    format_ = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}[mime]
    image.save(out, format_, icc_profile=profile, exif=b"", **options)
    return out.getvalue()


# --- A photo on its way out ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Slices:
    """Byte ranges of an open file, read as one stream: a photo without its metadata, uncopied."""

    file: IO[bytes]
    mime: str
    ranges: tuple[tuple[int, int], ...]
    is_copy: bool = False  # the file is ours alone and goes when we close

    def close(self) -> None:
        if self.is_copy:
            self.file.close()

    @property
    def size_bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)

    def chunks(self, size: int) -> Iterator[bytes]:
        """The bytes in pieces of exactly ``size``, the last one shorter."""
        rest = b""
        for start, end in self.ranges:
            self.file.seek(start)
            while start < end:
                piece = self.file.read(min(size - len(rest), end - start))
                if not piece:
                    raise UnreadablePicture("the photo became shorter while it was read")
                start += len(piece)
                rest = rest + piece if rest else piece
                if len(rest) == size:
                    yield rest
                    rest = b""
        if rest:
            yield rest


def clean(photo: Photo, *, max_bytes: int) -> Slices:
    """The photo as a provider may see it: upright, without metadata, at most ``max_bytes`` long.

    Most photos keep every byte of their pixels: the metadata is cut out around them. Only a photo
    that lies on its side, is too large, or is a WEBP with metadata is encoded again. Blocking
    (up to about 0.5 s for 24 megapixels): call it in a thread.
    """
    if photo.orientation == 1 and (ranges := _ranges_without_metadata(photo)):
        slices = Slices(photo.file, photo.mime, ranges)
        if slices.size_bytes <= max_bytes:
            return slices
    return _encoded_again(photo, max_bytes=max_bytes)


def _ranges_without_metadata(photo: Photo) -> tuple[tuple[int, int], ...] | None:
    """What to keep of the file, or None when its metadata cannot simply be cut out."""
    photo.file.seek(0)
    try:
        if photo.mime == JPEG:
            return _jpeg_ranges(photo.file, photo.size_bytes)
        if photo.mime == PNG:
            return _png_ranges(photo.file, photo.size_bytes)
        return _webp_ranges(photo.file, photo.size_bytes)
    except (IndexError, ValueError):
        return None  # an odd file: let the decoder have it


def _jpeg_ranges(file: IO[bytes], size: int) -> tuple[tuple[int, int], ...] | None:
    """Everything but EXIF, XMP, IPTC, comments and what cameras hang on behind the end."""
    file.seek(2)
    keep, start, position = [], 0, 2
    while True:
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, length = head[1], int.from_bytes(head[2:4]) + 2
        if marker == 0xDA:  # pixels begin: nothing but pixels up to the end marker
            break
        body = file.read(min(length - 4, 16))
        # APP0 (JFIF), APP2 with a colour profile and APP14 (Adobe) tell how to read the colours.
        is_colour = marker in (0xE0, 0xEE) or body.startswith(b"ICC_PROFILE")
        if 0xE0 <= marker <= 0xEF and not is_colour or marker == 0xFE:
            keep.append((start, position))
            start = position + length
        position += length
        file.seek(position)
    end = _find(file, b"\xff\xd9", start=position)
    keep.append((start, end + 2 if end >= 0 else size))
    return tuple(pair for pair in keep if pair[0] < pair[1])


def _find(file: IO[bytes], needle: bytes, *, start: int) -> int:
    file.seek(start)
    position, tail = start, b""
    while chunk := file.read(1024 * 1024):
        if (at := (tail + chunk).find(needle)) >= 0:
            return position - len(tail) + at
        position += len(chunk)
        tail = chunk[-1:]
    return -1


def _png_ranges(file: IO[bytes], size: int) -> tuple[tuple[int, int], ...] | None:
    """Everything up to IEND but the text, time and EXIF chunks."""
    keep, start, position = [], 0, 8
    while position + 12 <= size:
        file.seek(position)
        head = file.read(8)
        kind, end = head[4:8], position + 12 + int.from_bytes(head[:4])
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"):
            keep.append((start, position))
            start = end
        position = end
        if kind == b"IEND":
            keep.append((start, min(end, size)))
            return tuple(pair for pair in keep if pair[0] < pair[1])
    return None


def _webp_ranges(file: IO[bytes], size: int) -> tuple[tuple[int, int], ...] | None:
    """The whole file when it is a plain one; the extended form may hold metadata."""
    file.seek(12)
    return ((0, size),) if file.read(4) in (b"VP8 ", b"VP8L") else None


def _encoded_again(photo: Photo, *, max_bytes: int) -> Slices:
    """Decode, turn upright, and shrink until it fits: first by quality, then by pixels."""
    pixels = photo.width * photo.height
    with _opened(photo.file, max_megapixels=pixels // 1_000_000 + 1) as opened:
        image = ImageOps.exif_transpose(opened)
        image.load()
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    mime = PNG if photo.mime == PNG and has_alpha else JPEG
    body = encode(image, mime, quality=93)
    while len(body) > max_bytes:
        scale = min(0.9, math.sqrt(max_bytes / len(body)))
        image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        body = encode(image, mime, quality=88)
    # On disk again, so that the encoded copy does not stand in memory while the provider works.
    file = tempfile.TemporaryFile()  # noqa: SIM115  Slices.close() ends it
    file.write(body)
    return Slices(file, mime, ((0, len(body)),), is_copy=True)
