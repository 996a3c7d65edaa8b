"""A photo as a service may fetch it: JPEG or PNG, and no larger than is useful."""

import io

from django.conf import settings as django_settings

from providers.clean_photo import Slices, clean_photo
from providers.pictures import JPEG, WEBP, Photo, decode, encode

MAX_BYTES = 3 * 1024 * 1024
MAX_SIDE_PX = 2048  # such services give back 768-1500 px


def prepare_public_photo(photo: Photo) -> Slices:
    """Upright, without metadata. Blocking. Raises UnreadablePicture, StorageError."""
    is_small = max(photo.width, photo.height) <= MAX_SIDE_PX and photo.size_bytes <= MAX_BYTES
    if is_small and photo.mime != WEBP:
        return clean_photo(photo, max_bytes=MAX_BYTES)
    photo.file.seek(0)
    image, _ = decode(photo.file.read(), max_megapixels=django_settings.MAX_PHOTO_MEGAPIXELS)
    image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    body = encode(image, JPEG, quality=92)
    return Slices(io.BytesIO(body), JPEG, ((0, len(body)),), is_copy=True)
