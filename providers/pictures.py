"""Pictures as bytes: what they are, whether they can be trusted, and how they leave us.

The type of a picture is always told by its bytes. Names, declared types and metadata come from
outside and are never believed; metadata never leaves (a guest's phone knows where it was).
"""

import hashlib
import io
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import Image

from photochanger.errors import InvalidImage, StorageError, UnsupportedMediaType
from providers.metadata import Ranges, ranges_without_metadata

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

    @classmethod
    def open(
        cls,
        file: IO[bytes],
        *,
        max_megapixels: int,
        size_bytes: int | None = None,
        sha256: str | None = None,
    ) -> "Photo":
        """The photo in ``file``, its type told by its bytes; size and digest if they are known.

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
            sha256=sha256 or _sha256(file),
            mime=mime,
            width=width,
            height=height,
            orientation=orientation,
        )


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(0)
    return digest.hexdigest()


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
        return image.width, image.height, _orientation(image)


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
    """1 when there is no EXIF, or nonsense in it: that spoils no picture."""
    try:
        # The base class's method: a PNG's own one decodes every pixel to look for EXIF behind them.
        value = Image.Image.getexif(image).get(ORIENTATION_TAG)
        return int(value) if value in TURNS else 1
    except Exception:  # see _opened
        return 1


def decode(body: bytes, *, max_megapixels: int) -> tuple[Image.Image, str]:
    """Every pixel of a picture, upright and in a plain mode, with its MIME type.

    Raises UnreadablePicture for a wrong type, a truncated file or a decompression bomb.
    """
    mime = sniff(body[:16])
    if mime is None:
        raise UnreadablePicture("is neither JPEG, PNG nor WEBP")
    with _opened(io.BytesIO(body), max_megapixels=max_megapixels) as image:
        return _upright(image, _orientation(image)), mime


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """Decode an opened picture, and turn it as its EXIF says."""
    image.load()
    plain, turn = _plain(image), TURNS[orientation]
    return plain if turn is None else plain.transpose(turn)


def _plain(image: Image.Image) -> Image.Image:
    """Grey, RGB or RGBA of eight bits: what every encoder takes and every resize does well."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut, not scale
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def encode(image: Image.Image, mime: str, *, quality: int) -> bytes:
    """Encode a decoded picture without metadata (a fitting colour profile stays).

    Where the format knows no transparency, the picture lies on white.
    """
    profile = _profile(image)
    if mime == JPEG and image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    out = io.BytesIO()
    options = {"quality": quality} if mime != PNG else {"compress_level": 4}
    format_ = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}[mime]
    # Unless told otherwise, Pillow writes the original's comment again.
    image.save(out, format_, icc_profile=profile, exif=b"", comment=b"", **options)
    return out.getvalue()


def _profile(image: Image.Image) -> bytes | None:
    """The picture's colour profile, unless it is of other colours (CMYK) or absurdly large."""
    profile = image.info.get("icc_profile") or b""
    fits = profile[16:20] == (b"GRAY" if image.mode == "L" else b"RGB ")
    return profile if fits and len(profile) <= MAX_PROFILE_BYTES else None


# --- A photo on its way out ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Slices:
    """Byte ranges of an open file, read as one stream: a photo without its metadata, uncopied."""

    file: IO[bytes]
    mime: str
    ranges: Ranges
    is_copy: bool = False  # the file is ours alone and goes when we close

    def close(self) -> None:
        if self.is_copy:
            self.file.close()

    @property
    def size_bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)

    def chunks(self, size: int) -> Iterator[bytes]:
        """The bytes in pieces of exactly ``size``, the last one shorter."""
        pieces: list[bytes] = []
        missing = size
        for start, end in self.ranges:
            self.file.seek(start)
            while start < end:
                piece = self.file.read(min(missing, end - start))
                if not piece:
                    raise UnreadablePicture("the photo became shorter while it was read")
                start += len(piece)
                missing -= len(piece)
                pieces.append(piece)
                if not missing:
                    yield b"".join(pieces)
                    pieces, missing = [], size
        if pieces:
            yield b"".join(pieces)


def clean(photo: Photo, *, max_bytes: int) -> Slices:
    """The photo as a provider may see it: upright, without metadata, at most ``max_bytes`` long.

    Most photos keep every byte of their pixels: the metadata is cut out around them. Only a photo
    that lies on its side, is too large, or is a WEBP with metadata is encoded again. Blocking
    (up to about 0.5 s for 24 megapixels): call it in a thread.
    """
    if photo.orientation == 1 and (ranges := ranges_without_metadata(photo.file, photo.size_bytes)):
        slices = Slices(photo.file, photo.mime, ranges)
        if slices.size_bytes <= max_bytes:
            return slices
    return _encoded_again(photo, max_bytes=max_bytes)


def _encoded_again(photo: Photo, *, max_bytes: int) -> Slices:
    """Decode, turn upright, and shrink until it fits: first by quality, then by pixels."""
    image = _decoded(photo)
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
    return Slices(_on_disk(body), mime, ((0, len(body)),), is_copy=True)


def _decoded(photo: Photo) -> Image.Image:
    pixels = photo.width * photo.height  # counted before, when the photo came in
    with _opened(photo.file, max_megapixels=pixels // 1_000_000 + 1) as image:
        return _upright(image, photo.orientation)


def _on_disk(body: bytes) -> IO[bytes]:
    """On disk again, so that an encoded copy does not stand in memory while a provider works."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  Slices.close() ends it
    try:
        file.write(body)
        file.flush()
    except OSError as exc:
        file.close()
        raise StorageError(f"the photo cannot be spooled: {exc.strerror}") from exc
    return file
