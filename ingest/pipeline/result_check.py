"""Check what a provider sent: it is a picture, or it goes no further."""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from media.faces.decoding import shrink_for_detection
from photochanger.errors import BadResponse
from photochanger.pictures import (
    JPEG,
    Picture,
    UnreadablePicture,
    UnsuitablePicture,
    decode_file,
    encode,
    sniff_result,
)
from photochanger.pictures.decoding import END_MARKER, Decoded
from photochanger.pictures.header import RESULT_FORMATS
from photochanger.pictures.metadata import find_ranges_without_metadata
from photochanger.pictures.printing import PRINT_DPI, PrintPlan, make_print
from photochanger.pictures.provenance import (
    AI_MADE_XMP,
    Credentials,
    mark_ranges,
    read_credentials,
)
from providers.base import DriverSettings

MAX_RESULT_MEGAPIXELS = 50
UNREADABLE_KINDS = {"image/heic"}  # known by name, and decoded by nothing that we have
MIN_RESULT_SIDE_PX, MAX_RESULT_SIDE_PX = 64, 16_383  # WEBP goes no further


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPicture(Picture):
    """A finished picture on its way to storage: its bytes, the same picture decoded, and what the
    service's file said of its origin.

    ``face_image``: what the service made, to judge faces by; a small copy where it is printed.
    """

    sha256: str
    image: Image.Image
    face_image: Image.Image
    credentials: Credentials = Credentials()


def check_result(
    picture: Picture, rules: DriverSettings, plan: PrintPlan | None = None
) -> ResultPicture:
    """What a booth gets, whatever came: JPEG or PNG, plain, by the slot's rules, and with no
    metadata but that an AI made it; with a ``plan`` it is laid out for print.

    A picture that is so already keeps its bytes. Blocking, 8-20 ms, a print 0.2 s. Decoding is the
    dear part, so the decoded picture goes along. Raises BadResponse.
    """
    found, mime = _decode(picture)
    credentials = read_credentials(picture.body)  # gone when it is encoded again
    image = found.image
    wanted = f"image/{rules.output_format or 'jpeg'}"
    body, dpi, longest, face_image = None, found.header.dpi, rules.output_max_side_px, image
    if plan is not None:
        del found  # nothing may hold the pixels that came, once they are printed
        face_image = _copy_for_detection(image)
        image, dpi = make_print(image, plan), PRINT_DPI
    elif longest and max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    elif wanted == mime:
        body = replace_metadata(picture.body, wanted, found)
    if body is None:
        body = encode(image, wanted, quality=rules.output_quality, dpi=dpi, xmp=AI_MADE_XMP)
    return ResultPicture(
        body=body,
        mime=wanted,
        sha256=hashlib.sha256(body).hexdigest(),
        image=image,
        face_image=face_image,
        credentials=credentials,
    )


def _decode(picture: Picture) -> tuple[Decoded, str | None]:
    """With its kind. Raises BadResponse, retryable where another call may bring a better one."""
    mime = sniff_result(picture.body[:16])
    if mime in UNREADABLE_KINDS:  # another call would bring the same
        raise BadResponse(f"the picture is {mime}, which cannot be read here")
    try:
        found = decode_file(
            io.BytesIO(picture.body), max_megapixels=MAX_RESULT_MEGAPIXELS, formats=RESULT_FORMATS
        )
    except UnreadablePicture as exc:
        is_chance = not isinstance(exc, UnsuitablePicture)
        raise BadResponse(f"the picture {exc}", retryable=is_chance) from exc
    image = found.image
    if min(image.size) < MIN_RESULT_SIDE_PX or max(image.size) > MAX_RESULT_SIDE_PX:
        is_tiny = max(image.size) <= MAX_RESULT_SIDE_PX  # what came instead of a picture, perhaps
        raise BadResponse(f"the picture is {image.width}x{image.height}", retryable=is_tiny)
    return found, mime


def _copy_for_detection(image: Image.Image) -> Image.Image:
    """Before it is cropped, and before somebody's face comes over it with a frame."""
    small = shrink_for_detection(image)
    return small.copy() if small is image else small  # a print is drawn on the picture itself


def replace_metadata(body: bytes, mime: str, found: Decoded) -> bytes | None:
    """The picture's own bytes, marked as made by an AI; None when it must be encoded again."""
    ranges = None
    if found.is_plain:
        ranges = find_ranges_without_metadata(io.BytesIO(body), len(body), keep_profile=False)
    if ranges is None:
        return None
    end = body[ranges[-1][1] - 2 : ranges[-1][1]]
    is_open = mime == JPEG and end != END_MARKER
    return b"".join((*mark_ranges(body, ranges, mime), END_MARKER if is_open else b""))
