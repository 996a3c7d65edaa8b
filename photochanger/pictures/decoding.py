"""Every pixel of a picture, plain: the one decoder of photos, results and previews.

A JPEG is decoded at the size that is wanted, and no pixel of it may be missing: Pillow fills what a
truncated file lacks with grey and says nothing once an end marker follows. TurboJPEG tells; its
decoder also scales in eighths, where Pillow halves.
"""

import io
import re
from typing import IO, Any, NamedTuple

import simplejpeg
from PIL import Image

from photochanger.pictures.budget import pixel_budget
from photochanger.pictures.completeness import is_complete
from photochanger.pictures.header import (
    PHOTO_FORMATS,
    RESULT_FORMATS,
    Header,
    UnreadablePicture,
    UnsuitablePicture,
    describe_image,
    open_image,
    sniff_result,
)
from photochanger.pictures.mending import (
    READ_FRAMES,
    SCAN_MARKER,
    Bytes,
    copy_png,
    find_frame,
    map_bytes,
    mend_head,
)
from photochanger.pictures.plain import apply_transparent_colour, find_alpha, is_plain, make_plain

# Measured: four of the pixels, the rest of the decoder's own copies and of making them plain.
BYTES_PER_PIXEL = {"PNG": 10, "WEBP": 16}  # others 7
END_MARKER = b"\xff\xd9"
SCAN_START = re.compile(rb"\xff\xda")
# Each scan of a progressive picture visits every pixel: 10 of 24 megapixels are 240.
MAX_SCANNED_MEGAPIXELS = 2_000
# The decoder's words for pixels that it had to invent; it has others for harmless oddities, like
# a few bytes too many before the end marker (d9; d0-d7 stand between the pixels).
DAMAGE = re.compile(r"premature end|bad huffman|found marker|before marker 0xd[0-7]", re.I)
EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")
MAX_EXTRANEOUS_BYTES = 256  # some cameras of drones leave 240, of whatever values
UNKNOWN = re.compile(r"unsupported|could not|not implemented|invalid|bogus", re.I)
COLOURS = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
RAW_MODES = {"L": "L", "RGB": "RGB", "CMYK": "CMYK;I"}  # inks are stored inverted, by all programs
MAX_LAST_ZEROS = 64  # at most some dozens of blocks of 8 pixels


class Decoded(NamedTuple):
    """A picture's pixels, plain, and whether its bytes were so already."""

    image: Image.Image
    header: Header
    is_plain: bool


def decode(
    body: bytes, *, max_megapixels: int, formats: tuple[str, ...] = RESULT_FORMATS
) -> tuple[Image.Image, str]:
    """Every pixel of a picture, plain, with its MIME type.

    Raises UnreadablePicture for a wrong type, a truncated file or a decompression bomb.
    """
    mime = sniff_result(body[:16])
    if mime is None:
        raise UnreadablePicture("is not of a known kind")
    found = decode_file(io.BytesIO(body), max_megapixels=max_megapixels, formats=formats)
    return found.image, mime


def decode_file(
    file: IO[bytes],
    *,
    max_megapixels: int,
    formats: tuple[str, ...] = PHOTO_FORMATS,
    max_side_px: int | None = None,
    least_side_px: int | None = None,
    keep_alpha: bool = False,
) -> Decoded:
    """The first picture of a file, plain, its longest side at most ``max_side_px``.

    It may be as short as ``least_side_px`` where the decoder itself comes out between the two,
    which saves resizing. Blocking: 0.1 to 0.5 s for 24 megapixels. Raises UnreadablePicture.
    """
    with open_image(file, max_megapixels=max_megapixels, formats=formats) as image:
        header = describe_image(image, file)
        with pixel_budget.spend(estimate_bytes(image, header, max_side_px)):
            decoded = _load(image, header, file, max_side_px=least_side_px or max_side_px)
            if max_side_px is not None and max(decoded.size) > max_side_px:
                decoded = shrink(decoded, max_side_px)
            alpha = find_alpha(decoded)
            plain = make_plain(decoded, header, alpha=alpha, keep_alpha=keep_alpha)
            return Decoded(plain, header, is_plain(header) and (keep_alpha or alpha is None))


def check_pixels(file: IO[bytes], header: Header, *, max_megapixels: int) -> bool:
    """Decode all of a photo as cheaply as can be; returns whether one can see through it.

    Blocking. Raises UnreadablePicture when anything is missing.
    """
    with (
        open_image(file, max_megapixels=max_megapixels) as image,
        pixel_budget.spend(estimate_bytes(image, header, 1)),
    ):
        decoded = _load(image, header, file, max_side_px=1)
        return find_alpha(decoded) is not None


def estimate_bytes(image: Image.Image, header: Header, max_side_px: int | None) -> int:
    """What decoding will take; a JPEG in one scan is decoded in eighths of its sides."""
    whole = header.width * header.height * BYTES_PER_PIXEL.get(image.format or "", 7)
    if max_side_px is None or header.is_progressive or image.format not in ("JPEG", "MPO"):
        return whole
    eighths = min(8, 1 + 8 * max_side_px // header.longest_px)
    return whole * eighths**2 // 64


def shrink(image: Image.Image, max_side_px: int) -> Image.Image:
    """Smoothly: modes that cannot be averaged are converted first."""
    has_clear_colour = "transparency" in image.info  # averaged, it would be another one
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK") or has_clear_colour:
        is_grey = image.mode[0] in "1IF" and not image.has_transparency_data
        if is_grey:
            return image  # few and small enough to be shrunk when they are plain
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    scale = max_side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Two thirds of the time of a bicubic one, and less of the noise that a JPEG spends bytes on.
    return image.resize(size, Image.Resampling.BILINEAR)


def _load(
    image: Image.Image, header: Header, file: IO[bytes], *, max_side_px: int | None
) -> Image.Image:
    if image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB", "CMYK"):
        body = map_bytes(file)
        if header.is_progressive:
            check_scans(body, pixels=header.width * header.height)
        try:
            return decode_jpeg(body, mode=image.mode, max_side_px=max_side_px)
        except UnsupportedJpeg:
            file.seek(0)
    image = _load_by_pillow(image, file)
    if image.mode in ("P", "PA") and image.palette is None:
        raise UnreadablePicture("has no palette")
    if not is_complete(image, file):
        raise UnreadablePicture("is incomplete")
    return apply_transparent_colour(image, header)


def _load_by_pillow(image: Image.Image, file: IO[bytes]) -> Image.Image:
    """It refuses a PNG for what stands behind the pixels, too: then once more without that."""
    try:
        image.load()
        return image
    except Exception:  # see open_image
        copy = copy_png(file) if image.format == "PNG" else None
        if copy is None:
            raise
    again = Image.open(copy, formats=("PNG",))
    again.load()
    return again


class UnsupportedJpeg(Exception):
    """A kind of JPEG that this decoder does not know; Pillow's may."""


def decode_jpeg(body: Bytes, *, mode: str, max_side_px: int | None) -> Image.Image:
    """The whole picture, with its sides as small as they may be for ``max_side_px``.

    ``mode``: L, RGB or CMYK. 140 ms of CPU for 15 MB whatever the size, without the GIL. Raises
    UnreadablePicture when pixels are missing, UnsupportedJpeg.
    """
    try:
        return _decode(body, mode=mode, max_side_px=max_side_px)
    except UnsupportedJpeg:  # perhaps only for what stands before the pixels
        return _decode(mend_head(body), mode=mode, max_side_px=max_side_px)
    except UnreadablePicture:
        if bytes(body[-2:]) == END_MARKER:
            raise
        # Perhaps it lacks only that; then the decoder has nothing to complain about.
        return _decode(_end(bytes(body)), mode=mode, max_side_px=max_side_px)


def _end(body: bytes) -> bytes:
    """End it, without the zeros of a file that was made larger than what was written.

    Some zeros are pixels: a smooth picture's last bytes often are.
    """
    return body[: len(body.rstrip(b"\0")) + MAX_LAST_ZEROS] + END_MARKER


def _decode(body: Bytes, *, mode: str, max_side_px: int | None) -> Image.Image:
    sides = _choose_least_sides(body, max_side_px)
    try:
        pixels: Any = simplejpeg.decode_jpeg(body, COLOURS[mode], **sides, strict=True)
    except ValueError as exc:
        if DAMAGE.search(str(exc)):
            raise UnreadablePicture(f"is damaged or incomplete: {str(exc)[:80]}") from exc
        if UNKNOWN.search(str(exc)):
            raise UnsupportedJpeg(str(exc)) from exc
        pixels = _decode_leniently(body, mode, sides)
    height, width = pixels.shape[:2]
    image = Image.new(mode, (width, height), None)  # not filled with black first
    image.frombytes(pixels, "raw", RAW_MODES[mode])
    return image


def _decode_leniently(body: Bytes, mode: str, sides: dict[str, int]) -> Any:
    """The decoder names only the first oddity: one before the pixels would hide what they lack."""
    mended = mend_head(body)
    try:
        return simplejpeg.decode_jpeg(mended, COLOURS[mode], **sides, strict=True)
    except ValueError as exc:
        if DAMAGE.search(str(exc)) or _has_pixels_left(mended, str(exc)):
            raise UnreadablePicture(f"is damaged or incomplete: {str(exc)[:80]}") from exc
    try:
        return simplejpeg.decode_jpeg(body, COLOURS[mode], **sides, strict=False)
    except ValueError as exc:
        raise UnsupportedJpeg(str(exc)) from exc


def _has_pixels_left(body: bytes, complaint: str) -> bool:
    """Whether the decoder had all rows before it had all bytes: some came twice, or in a wrong
    order. What a camera fills its file with is of one value, or of two."""
    found = EXTRANEOUS.search(complaint)
    if found is None or int(found[1]) <= MAX_EXTRANEOUS_BYTES:
        return False
    end = body.find(END_MARKER, body.find(SCAN_MARKER))
    is_filled = found[2] == "d9" and len(set(body[max(0, end - int(found[1])) : end])) <= 2
    return not is_filled


def _choose_least_sides(body: Bytes, max_side_px: int | None) -> dict[str, int]:
    """What the decoder must reach at least: one side is enough, since it keeps the shape.

    Raises UnsuitablePicture for what must not reach the decoder: bytes that were mended, too.
    """
    if find_frame(body) not in READ_FRAMES:
        raise UnsuitablePicture("is no JPEG of a photo")
    if max_side_px is None:
        return {}
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(body, strict=False)
    except ValueError as exc:
        raise UnsupportedJpeg(str(exc)) from exc
    along, across = ("min_width", "min_height") if width >= height else ("min_height", "min_width")
    return {along: max(1, max_side_px), across: 1}


def check_scans(body: Bytes, *, pixels: int) -> None:
    """Raises UnsuitablePicture for a progressive picture that would take minutes to decode."""
    scans = sum(1 for _ in SCAN_START.finditer(body))
    if scans * pixels > MAX_SCANNED_MEGAPIXELS * 1_000_000:
        raise UnsuitablePicture(f"has {scans} scans")
