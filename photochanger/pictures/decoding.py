"""Every pixel of a picture, plain: the one decoder of photos, results and previews."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from PIL import Image

from photochanger.pictures.header import (
    PHOTO_FORMATS,
    RESULT_FORMATS,
    Header,
    describe_image,
    open_image,
)
from photochanger.pictures.jpeg import UnsupportedJpeg, check_scans, decode_jpeg, map_bytes
from photochanger.pictures.kinds import UnreadablePicture, sniff_result
from photochanger.pictures.plain import find_alpha, is_plain, make_plain

# Decoded whole, whatever size is wanted: a progressive JPEG, a PNG, a WEBP. Four to seven bytes a
# pixel; more of them at once than one would be more memory than a small server has.
LARGE_PIXELS = 30_000_000
_large_decode = threading.Lock()


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
    keep_alpha: bool = False,
) -> Decoded:
    """The first picture of a file, plain, its longest side at most ``max_side_px``.

    Blocking: 0.1 to 0.5 s for 24 megapixels. Raises UnreadablePicture.
    """
    with open_image(file, max_megapixels=max_megapixels, formats=formats) as image:
        header = describe_image(image, file)
        decoded = _load(image, header, file, max_side_px=max_side_px)
        if max_side_px is not None and max(decoded.size) > max_side_px:
            decoded = shrink(decoded, max_side_px)
        alpha = find_alpha(decoded)
        image = make_plain(decoded, header, alpha=alpha, keep_alpha=keep_alpha)
        return Decoded(image, header, is_plain(header) and (keep_alpha or alpha is None))


def check_pixels(file: IO[bytes], header: Header, *, max_megapixels: int) -> bool:
    """Decode all of a photo as cheaply as can be; returns whether one can see through it.

    Blocking. Raises UnreadablePicture when anything is missing.
    """
    with open_image(file, max_megapixels=max_megapixels) as image:
        decoded = _load(image, header, file, max_side_px=1)
        return find_alpha(decoded) is not None


def shrink(image: Image.Image, max_side_px: int) -> Image.Image:
    """Smoothly: modes that cannot be averaged are converted first."""
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
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
    is_jpeg = image.format in ("JPEG", "MPO")
    is_scaled = is_jpeg and not header.is_progressive and max_side_px is not None
    with _limit_memory(header, is_scaled=is_scaled):
        if is_jpeg and image.mode in ("L", "RGB", "CMYK"):
            body = map_bytes(file)
            if header.is_progressive:
                check_scans(body, pixels=header.width * header.height)
            try:
                return decode_jpeg(body, mode=image.mode, max_side_px=max_side_px)
            except UnsupportedJpeg:
                file.seek(0)
        image.load()
        return image


@contextmanager
def _limit_memory(header: Header, *, is_scaled: bool) -> Iterator[None]:
    """Wait while another thread decodes a very large picture, if this is one too."""
    if is_scaled or header.width * header.height <= LARGE_PIXELS:
        yield
        return
    with _large_decode:
        yield
