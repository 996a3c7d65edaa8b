"""Check what a provider sent: it is a picture, or it goes no further."""

import hashlib
from dataclasses import dataclass

from PIL import Image

from photochanger.errors import BadResponse
from providers.base import DriverSettings
from providers.pictures import Picture, UnreadablePicture, decode, encode

MAX_RESULT_MEGAPIXELS = 50
MIN_RESULT_SIDE_PX, MAX_RESULT_SIDE_PX = 64, 16_383  # WEBP goes no further


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPicture(Picture):
    """A finished picture on its way to storage: its bytes, and the same picture decoded."""

    sha256: str
    image: Image.Image


def check_result(picture: Picture, rules: DriverSettings) -> ResultPicture:
    """Decode the picture and apply the slot's output rules. Blocking, 8-20 ms.

    Decoding is the dear part, so the decoded picture goes along. Raises BadResponse.
    """
    try:
        image, mime = decode(picture.body, max_megapixels=MAX_RESULT_MEGAPIXELS)
    except UnreadablePicture as exc:
        raise BadResponse(f"the picture {exc}", retryable=True) from exc
    if min(image.size) < MIN_RESULT_SIDE_PX or max(image.size) > MAX_RESULT_SIDE_PX:
        raise BadResponse(f"the picture is {image.width}x{image.height}", retryable=True)
    body = picture.body
    longest = rules.output_max_side_px
    wanted = f"image/{rules.output_format}" if rules.output_format else mime
    if wanted != mime or (longest and max(image.size) > longest):
        if longest:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        body, mime = encode(image, wanted, quality=rules.output_quality), wanted
    return ResultPicture(
        body=body,
        mime=mime,
        sha256=hashlib.sha256(body).hexdigest(),
        image=image,
    )
