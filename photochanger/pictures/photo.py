"""A photo on its way in: where it is, what its header says, and what is made of it to be sent."""

import hashlib
import io
from dataclasses import dataclass, replace
from typing import IO

from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidImage, UnsupportedMediaType
from photochanger.pictures.decoding import check_pixels, decode_file
from photochanger.pictures.encoding import encode
from photochanger.pictures.header import (
    JPEG,
    PNG,
    WEBP,
    Header,
    UnreadablePicture,
    describe_image,
    open_image,
    sniff,
)
from photochanger.pictures.metadata import find_ranges_without_metadata
from photochanger.pictures.plain import is_plain

MIN_PHOTO_SIDE_PX = 16  # less is somebody's test or a tracking pixel, and costs as much as a photo
MAX_PHOTO_SIDE_PX = 65_500  # of a JPEG, by the library that writes it
QUALITY = 93
# Of twice the size that a model works in: at that size the picture of a noisy photo is the same as
# with 90 (SSIM 0.987 against 0.990), for half of the bytes.
SHRUNK_QUALITY = 80
# Where the decoder comes out so near below the side that is asked, resizing is saved: of 97 ms for
# 2400 px 36 are left, of 128 ms for 4800 px 84.
NEAR_SHARE = 7 / 8
# Above it decoding takes a core for half a second and more. Of other kinds than a camera's JPEG a
# megapixel takes three times as long.
DEAR_MEGAPIXELS, DEAR_TIMES = 45, 3
# A camera's JPEG of 4 megapixels has 0.5 bytes a pixel, at its finest 1.1, a PNG 1.5 to 3. Of a PNG
# of 7 MB 1.8 MB are left, of a finest JPEG of 4.4 MB too, for 20-70 ms of CPU beyond the check.
HEAVY_BYTES, HEAVY_BYTES_PER_PIXEL, WORTHWHILE_SHARE = 1_000_000, 1.0, 0.67


class PictureTooSmall(InvalidImage):
    """It can be read, and has too few pixels to be anything (``MIN_PHOTO_SIDE_PX``)."""

    sentence = _("The picture is too small or too narrow: each side needs at least 16 pixels.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """An uploaded photo: on disk above a small size, so that waiting costs no memory.

    ``file`` is seekable and belongs to whoever received it; ``sha256`` is of the bytes as sent.
    """

    file: IO[bytes]
    size_bytes: int
    sha256: str
    mime: str
    header: Header

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

        Only its header is read: ``prepare_photo`` makes sure of the rest. Blocking. Raises
        UnsupportedMediaType, or InvalidImage for a header that does not decode or promises too
        many pixels, hardly any, or too many in a row.
        """
        file.seek(0)
        mime = sniff(file.read(16))
        if mime is None:
            raise UnsupportedMediaType("neither JPEG, PNG nor WEBP by content")
        try:
            with open_image(file, max_megapixels=max_megapixels) as image:
                header = describe_image(image, file)
        except UnreadablePicture as exc:
            raise InvalidImage(str(exc)) from exc
        if min(header.width, header.height) < MIN_PHOTO_SIDE_PX:
            raise PictureTooSmall(f"has only {header.width}x{header.height} pixels")
        if header.longest_px > MAX_PHOTO_SIDE_PX:
            raise InvalidImage(f"has {header.width}x{header.height} pixels")
        return cls(
            file=file,
            size_bytes=file.seek(0, io.SEEK_END) if size_bytes is None else size_bytes,
            sha256=sha256 or _hash_file(file),
            mime=mime,
            header=header,
        )

    @property
    def megapixels(self) -> int:
        """Rounded up: within the limit, which was checked when it was opened."""
        return self.header.width * self.header.height // 1_000_000 + 1

    @property
    def is_dear(self) -> bool:
        """Whether decoding takes a core for long."""
        is_slow = self.mime != JPEG or self.header.is_progressive
        return self.megapixels * (DEAR_TIMES if is_slow else 1) > DEAR_MEGAPIXELS


def _hash_file(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(0)
    return digest.hexdigest()


def prepare_photo(
    photo: Photo,
    *,
    max_side_px: int | None = None,
    keep_alpha: bool = False,
    always_shrinks: bool = False,
) -> Photo:
    """The photo whole, upright, of eight bits and in sRGB; its longest side as asked, if that
    saves bytes, or with ``always_shrinks`` (of what is decoded many times) in any case. A photo
    that is so already is given back itself, every byte of it, unless it is much heavier than a
    JPEG of it, and a side is asked.

    Blocking: every pixel is decoded, once. What is not ``photo`` has its file in memory. Raises
    UnreadablePicture for a photo of which anything is missing.
    """
    header = photo.header
    is_foreign = not is_plain(header)
    if photo.mime == WEBP and not find_ranges_without_metadata(photo.file, photo.size_bytes):
        is_foreign = True  # only encoded again it is rid of its metadata
    is_large = max_side_px is not None and header.longest_px > max_side_px
    most_bytes = max(HEAVY_BYTES, HEAVY_BYTES_PER_PIXEL * header.width * header.height)
    is_heavy = max_side_px is not None and photo.size_bytes > most_bytes
    if not is_foreign and not is_large and not is_heavy:
        hides = check_pixels(photo.file, header, max_megapixels=photo.megapixels)
        if keep_alpha or not hides:
            return photo
    least_side_px = None
    if max_side_px is not None and is_large and not always_shrinks:
        least_side_px = round(NEAR_SHARE * max_side_px)
    body, mime = _encode_plain(
        photo, max_side_px=max_side_px, least_side_px=least_side_px, keep_alpha=keep_alpha
    )
    may_stay = not is_foreign and (keep_alpha or not header.has_alpha)
    may_stay = may_stay and not (is_large and always_shrinks)
    worth_bytes = photo.size_bytes if is_large else WORTHWHILE_SHARE * photo.size_bytes
    if may_stay and len(body) >= worth_bytes:
        return photo
    return _make_copy(photo, body, mime)


def _encode_plain(
    photo: Photo, *, max_side_px: int | None, least_side_px: int | None, keep_alpha: bool
) -> tuple[bytes, str]:
    image, header, _is_plain = decode_file(
        photo.file,
        max_megapixels=photo.megapixels,
        max_side_px=max_side_px,
        least_side_px=least_side_px,
        keep_alpha=keep_alpha,
    )
    mime = PNG if image.mode == "RGBA" else JPEG
    if max(image.size) < header.longest_px:
        return encode(image, mime, quality=SHRUNK_QUALITY), mime
    return encode(image, mime, quality=QUALITY, is_sharp=header.is_sharp), mime


def _make_copy(photo: Photo, body: bytes, mime: str) -> Photo:
    encoded = io.BytesIO(body)
    with open_image(encoded, max_megapixels=photo.megapixels) as image:
        header = describe_image(image, encoded)
    return replace(photo, file=encoded, size_bytes=len(body), mime=mime, header=header)
