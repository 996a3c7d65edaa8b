"""What a picture says of itself before its pixels: its kind by its first bytes, size, which way is
up, and whose colours."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from photochanger.pictures.mending import (
    ARITHMETIC_FRAMES,
    NO_FRAME,
    READ_FRAMES,
    BareCopy,
    find_frame,
    make_bare_copy,
    map_bytes,
)
from photochanger.pictures.metadata import PNG_TEXTS_READ, read_avif_colours, read_png_chunks
from photochanger.pictures.profiles import (
    ADOBE_RGB,
    D65,
    build_chromaticity_profile,
    build_cicp_profile,
    build_png_profile,
    find_named_profile,
    unpack_png_profile,
)
from photochanger.pictures.transforms import build_transform

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
EXTENSIONS = {JPEG: "jpg", PNG: "png", WEBP: "webp"}
# What services have been seen to send besides, with the first bytes that tell; a HEIC is known
# only to be refused by its name.
RESULT_HEADS = (
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
FTYP_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"), "image/heic"),
}
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP")
RESULT_FORMATS = (*PHOTO_FORMATS, "GIF", "AVIF", "BMP", "TIFF")
ORIENTATION_TAG, COLOUR_SPACE_TAG, INTEROP_INDEX_TAG = 0x0112, 0xA001, 1
EXIF_IFD, INTEROP_IFD = 0x8769, 0xA005
WHITE_POINT_TAG, PRIMARIES_TAG, GAMMA_TAG = 0x013E, 0x013F, 0xA500
SRGB_IN_EXIF = 1
ADOBE_RGB_IN_EXIF = 2  # of some cameras; the standard way is "uncalibrated" and the index R03
ORIENTATIONS = range(1, 9)
# Of kinds that are decoded whole or not at all: up to 340 MB by `decoding.BYTES_PER_PIXEL`. A PNG
# of 7680x4320 fits in.
WHOLE_MEGAPIXELS = {"PNG": 34, "WEBP": 21}
PROGRESSIVE_MEGAPIXELS = 46

# Pillow's remarks on odd files name their bytes: Python would keep and print each that is new, so a
# photo could leave megabytes of them in memory and in the log.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture in memory, its type detected from its bytes; nothing else is checked yet."""

    body: bytes
    mime: str


class UnreadablePicture(ValueError):
    """The bytes are not a picture of an accepted type, or it is damaged or too large."""


class UnsuitablePicture(UnreadablePicture):
    """Not damaged, but of a size or coding that is not read here: so is the next one made alike."""


def sniff(head: bytes) -> str | None:
    """The MIME type by the first 16 bytes, or None if it is not one of the accepted three."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    return None


def sniff_result(head: bytes) -> str | None:
    """The same of a service's picture, which may be of more kinds than a booth's photo."""
    if mime := sniff(head):
        return mime
    if head[4:8] == b"ftyp":
        return FTYP_BRANDS.get(head[8:12])
    return next((mime for start, mime in RESULT_HEADS if head.startswith(start)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """``width`` and ``height`` are in pixels as decoded, before ``orientation`` (EXIF, 1-8).

    ``profile``: the ICC profile of the colours; empty where nothing is said of them.
    """

    width: int
    height: int
    orientation: int = 1
    mode: str = "RGB"  # Pillow's, as the picture decodes
    depth_bits: int = 8  # of a PNG, as it is stored
    is_eight_bit: bool = True
    is_animated: bool = False
    is_mended: bool = False  # its bytes as they are would be refused by others
    is_progressive: bool = False
    has_alpha: bool = False
    is_sharp: bool = False  # its colours are as fine as its brightness
    dpi: tuple[float, float] | None = None  # for print, where the picture says it
    profile: bytes = b""

    @property
    def longest_px(self) -> int:
        return max(self.width, self.height)

    @property
    def upright_size(self) -> tuple[int, int]:
        sides = (self.width, self.height)
        return sides[::-1] if self.orientation >= 5 else sides


@contextmanager
def open_image(
    file: IO[bytes], *, max_megapixels: int, formats: tuple[str, ...] = PHOTO_FORMATS
) -> Iterator[Image.Image]:
    """The picture in ``file``, its size checked and its pixels not yet decoded.

    Whatever the decoder raises in the block becomes UnreadablePicture. UnsuitablePicture: it has
    too many pixels, or is a JPEG of a kind that is for other than photos.
    """
    file.seek(0)
    try:
        is_jpeg = file.read(2) == b"\xff\xd8"
        frame = find_frame(map_bytes(file)) if is_jpeg else NO_FRAME
        if frame not in (NO_FRAME, *READ_FRAMES):
            raise UnsuitablePicture(f"is a JPEG of {frame[1]} bits in frame {frame[0]:X}")
        file.seek(0)
        try:
            image: Image.Image = Image.open(file, formats=formats)
        except Exception:  # for what stands beside its pixels, perhaps
            image = _open_bare_copy(file, formats)
        image.info["frame"] = frame[0]
        most_megapixels = min(max_megapixels, _find_limit(image))
        if image.width * image.height > most_megapixels * 1_000_000:
            raise UnsuitablePicture(f"has {image.width}x{image.height} pixels")
        yield image
    except UnreadablePicture:
        raise
    # Pillow's plugins raise many kinds of errors on hostile bytes; each means "unreadable".
    except Exception as exc:
        raise UnreadablePicture(f"does not decode: {type(exc).__name__}") from exc
    finally:
        file.seek(0)


def _open_bare_copy(file: IO[bytes], formats: tuple[str, ...]) -> Image.Image:
    """Pillow refuses the whole for what stands beside the pixels: once more without that.

    Raises what Pillow raises, and UnreadablePicture where there is no such copy.
    """
    copy = make_bare_copy(file)
    if copy is None:
        raise UnreadablePicture("does not decode")
    return Image.open(copy, formats=formats)


def _find_limit(image: Image.Image) -> int:
    """In megapixels; a plain JPEG, which can be decoded in a fraction of its size, has none."""
    if image.format in WHOLE_MEGAPIXELS:
        return WHOLE_MEGAPIXELS[image.format]
    return PROGRESSIVE_MEGAPIXELS if image.info.get("progressive") else sys.maxsize


def describe_image(image: Image.Image, file: IO[bytes]) -> Header:
    """Of a picture that ``open_image`` has opened in ``file``. Under 1 ms, no pixel decoded."""
    chunks = read_png_chunks(file) if image.format == "PNG" else {}
    exif = _read_exif(image, chunks)
    depth = chunks.get(b"IHDR", bytes(8) + b"\x08")[8]
    return Header(
        width=image.width,
        height=image.height,
        # Pillow turns a TIFF itself: its size is of what is upright.
        orientation=1 if image.format == "TIFF" else _read_orientation(exif),
        mode=image.mode,
        depth_bits=depth,
        is_eight_bit=depth == 8 and image.mode[0] not in "IF1",
        is_animated=_is_animated(image),
        is_mended=isinstance(getattr(image, "fp", None), BareCopy)
        or image.info.get("frame") in ARITHMETIC_FRAMES,
        is_progressive=bool(image.info.get("progressive")),
        has_alpha=image.has_transparency_data,
        is_sharp=image.format == "PNG"
        or (isinstance(image, JpegImageFile) and get_sampling(image) == 0),
        dpi=_read_dpi(image),
        profile=_find_profile(image, file, exif, chunks),
    )


def _read_dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across <= 10_000 and 1 <= down <= 10_000 else None


def _is_animated(image: Image.Image) -> bool:
    """Not where the other pictures can be cut off, byte by byte (`metadata.py`)."""
    return image.format not in ("PNG", "MPO") and bool(getattr(image, "is_animated", False))


def _read_exif(image: Image.Image, chunks: dict[bytes, bytes]) -> Image.Exif:
    """Empty when there is none, or an invalid one: that must not fail the photo.

    ``chunks``: of a PNG, whose notes may stand behind the pixels, or be left out by ``mending``.
    """
    late = chunks.get(b"eXIf", b"")
    try:
        for name in PNG_TEXTS_READ if not late else ():
            if name in chunks:
                image.info.setdefault(name.decode(), chunks[name].decode("latin-1"))
        # The base class's method: PngImageFile's decodes every pixel to find EXIF behind them.
        exif = Image.Image.getexif(image)
        if late and ORIENTATION_TAG not in exif:
            exif.load(late)
        return exif
    except Exception:  # see open_image
        return Image.Exif()


def _read_orientation(exif: Image.Exif) -> int:
    try:
        value = exif[ORIENTATION_TAG]
        return int(value) if value in ORIENTATIONS else 1
    except Exception:  # see open_image
        return 1


def _find_profile(
    image: Image.Image, file: IO[bytes], exif: Image.Exif, chunks: dict[bytes, bytes]
) -> bytes:
    """In the order of trust: a PNG's code (by its standard), what the file embeds, what else it
    says of its format's own, what the camera or a program noted."""
    if b"cICP" in chunks and (found := build_cicp_profile(chunks[b"cICP"])) is not None:
        return found
    embedded = bytes(image.info.get("icc_profile") or b"")
    if not embedded and b"iCCP" in chunks:  # larger than Pillow unpacks it
        embedded = unpack_png_profile(chunks[b"iCCP"])
    if embedded and build_transform(embedded, image.mode) is not None:
        return embedded
    if image.format == "AVIF" and (code := read_avif_colours(file)):
        return build_cicp_profile(code) or b""
    if chunks and (found := build_png_profile(chunks)):
        return found
    try:
        return _find_noted_profile(image, exif)
    except Exception:  # see open_image
        return b""


def _find_noted_profile(image: Image.Image, exif: Image.Exif) -> bytes:
    """Cameras set to Adobe RGB embed no profile: their EXIF says so, and their file's name. Some
    give the points of the primaries, programs the name of the profile that they left out."""
    tags = exif.get_ifd(EXIF_IFD)
    index = str(exif.get_ifd(INTEROP_IFD).get(INTEROP_INDEX_TAG, "")).strip("\0 ")
    space = tags.get(COLOUR_SPACE_TAG)
    if space == ADOBE_RGB_IN_EXIF or index == "R03":
        return ADOBE_RGB
    if space == SRGB_IN_EXIF or index == "R98":  # some have Adobe's points all the same
        return b""
    if len(primaries := exif.get(PRIMARIES_TAG, ())) == 6:
        points = (*exif.get(WHITE_POINT_TAG, D65), *primaries)
        return build_chromaticity_profile(
            [float(value) for value in points], float(tags.get(GAMMA_TAG, 2.2))
        )
    return find_named_profile(image.info["xmp"]) if "xmp" in image.info else b""
