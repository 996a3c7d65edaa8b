"""Pictures as bytes: detect the type, read the header, decode and encode.

The type of a picture is always detected from its bytes. Names, declared types and metadata come
from outside and are never trusted.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import Image

from photochanger.errors import InvalidImage, UnsupportedMediaType

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
PIL_FORMATS = ("JPEG", "PNG", "WEBP")
ORIENTATION_TAG = 0x0112
Turn = Image.Transpose
TURNS = {  # EXIF orientation -> what makes the picture upright
    1: None,
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
MAX_PROFILE_BYTES = 256 * 1024  # cameras: under 4 KB; the largest RGB ones of printers: 200 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture in memory, its type detected from its bytes; nothing else is checked yet."""

    body: bytes
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """An uploaded photo: on disk above a small size, so that waiting costs no memory.

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

    @classmethod
    def open(
        cls,
        file: IO[bytes],
        *,
        max_megapixels: int,
        size_bytes: int | None = None,
        sha256: str | None = None,
    ) -> "Photo":
        """The photo in ``file``, its type detected from its bytes; size and digest if known.

        Blocking. Raises UnsupportedMediaType, or InvalidImage for a header that does not decode
        or promises too many pixels.
        """
        file.seek(0)
        mime = sniff(file.read(16))
        if mime is None:
            raise UnsupportedMediaType("neither JPEG, PNG nor WEBP by content")
        try:
            width, height, orientation = read_header(file, max_megapixels=max_megapixels)
        except UnreadablePicture as exc:
            raise InvalidImage(str(exc)) from exc
        return cls(
            file=file,
            size_bytes=file.seek(0, io.SEEK_END) if size_bytes is None else size_bytes,
            sha256=sha256 or _hash_file(file),
            mime=mime,
            width=width,
            height=height,
            orientation=orientation,
        )


def _hash_file(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(0)
    return digest.hexdigest()


class UnreadablePicture(ValueError):
    """The bytes are not a picture of an accepted type, or it is damaged or too large."""


def sniff(head: bytes) -> str | None:
    """The MIME type by the first 16 bytes, or None if it is not one of the accepted three."""
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
    with open_image(file, max_megapixels=max_megapixels) as image:
        return image.width, image.height, read_orientation(image)


@contextmanager
def open_image(file: IO[bytes], *, max_megapixels: int) -> Iterator[Image.Image]:
    """The picture in ``file``, its size checked and its pixels not yet decoded.

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


def read_orientation(image: Image.Image) -> int:
    """1 when there is no EXIF, or an invalid one: that must not fail the photo."""
    try:
        # The base class's method: PngImageFile's decodes every pixel to find EXIF behind them.
        value = Image.Image.getexif(image).get(ORIENTATION_TAG)
        return int(value) if value in TURNS else 1
    except Exception:  # see open_image
        return 1


def decode(body: bytes, *, max_megapixels: int) -> tuple[Image.Image, str]:
    """Every pixel of a picture, upright and in a plain mode, with its MIME type.

    Raises UnreadablePicture for a wrong type, a truncated file or a decompression bomb.
    """
    mime = sniff(body[:16])
    if mime is None:
        raise UnreadablePicture("is neither JPEG, PNG nor WEBP")
    with open_image(io.BytesIO(body), max_megapixels=max_megapixels) as image:
        return decode_upright(image, read_orientation(image)), mime


def decode_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Decode an opened picture, and turn it as its EXIF says."""
    image.load()
    plain, turn = _convert_to_plain_mode(image), TURNS[orientation]
    return plain if turn is None else plain.transpose(turn)


def _convert_to_plain_mode(image: Image.Image) -> Image.Image:
    """Grey, RGB or RGBA of eight bits: the modes that every encoder and resize supports."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut, not scale
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def encode(image: Image.Image, mime: str, *, quality: int) -> bytes:
    """Encode a decoded picture without metadata (a fitting colour profile stays).

    Where the format has no transparency, the picture is put on white.
    """
    profile = _select_profile(image)
    if mime == JPEG and image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    out = io.BytesIO()
    options = {"quality": quality} if mime != PNG else {"compress_level": 4}
    format_ = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}[mime]
    # By default Pillow writes the original's comment again.
    image.save(out, format_, icc_profile=profile, exif=b"", comment=b"", **options)
    return out.getvalue()


def _select_profile(image: Image.Image) -> bytes | None:
    """The picture's colour profile, unless it is of other colours (CMYK) or absurdly large."""
    profile = image.info.get("icc_profile") or b""
    fits = profile[16:20] == (b"GRAY" if image.mode == "L" else b"RGB ")
    return profile if fits and len(profile) <= MAX_PROFILE_BYTES else None
