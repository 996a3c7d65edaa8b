"""A photo as a service may fetch it: JPEG or PNG, and no larger than is useful."""

import io

from photochanger.pictures import JPEG, WEBP, Photo, decode_file, encode
from providers.clean_photo import Slices, clean_photo

MAX_BYTES = 3 * 1024 * 1024
MAX_SIDE_PX = 2048  # such services give back 768-1500 px


def prepare_public_photo(photo: Photo) -> Slices:
    """Plain, without metadata. Blocking. Raises UnreadablePicture."""
    is_small = photo.header.longest_px <= MAX_SIDE_PX and photo.size_bytes <= MAX_BYTES
    if is_small and photo.mime != WEBP:
        return clean_photo(photo, max_bytes=MAX_BYTES)
    image = decode_file(photo.file, max_megapixels=photo.megapixels, max_side_px=MAX_SIDE_PX).image
    body = encode(image, JPEG, quality=92)
    return Slices(io.BytesIO(body), JPEG, ((0, len(body)),), is_copy=True)
