"""The logo of an event: stored with the template pictures, so that backups hold it too."""

import io

from django.conf import settings

from media.deletion import drop_file
from media.models import MediaObject
from media.uploads import store_upload
from photochanger.db import clock
from photochanger.errors import InvalidImage, PayloadTooLarge
from photochanger.pictures import EXTENSIONS, Photo, UnreadablePicture, prepare_photo
from slots.template_files import MB, read_clean
from slots.uploads import UNUSED_TEMPLATE_LIVES, Upload

LOGO_SIDE_PX = 600
MAX_LOGO_MB = 5


def store_logo(upload: Upload, *, by: str) -> MediaObject:
    """Upright, small, without metadata, with its transparent parts. Cleanup deletes it unless an
    event gets it.

    Raises PayloadTooLarge, UnsupportedMediaType, InvalidImage, StorageError.
    """
    if (upload.size or 0) > MAX_LOGO_MB * MB:
        raise PayloadTooLarge(f"a logo of {upload.size} bytes")
    file = io.BytesIO(upload.read())
    photo = Photo.open(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    try:
        body, mime = read_clean(prepare_photo(photo, max_side_px=LOGO_SIDE_PX, keep_alpha=True))
    except UnreadablePicture as exc:
        raise InvalidImage(str(exc)) from exc
    return store_upload(
        MediaObject.Kind.LOGO,
        "",
        body,
        mime=mime,
        extension=EXTENSIONS[mime],
        expires_at=clock.now() + UNUSED_TEMPLATE_LIVES,
    )


def keep_logo(logo: MediaObject) -> None:
    """It is an event's from now on. In the transaction that binds it."""
    MediaObject.objects.filter(pk=logo.pk).update(expires_at=None)


def delete_unused_logo(logo: MediaObject) -> bool:
    """When no event has it any more: whether that is so. In a transaction."""
    if logo.event_set.exists():
        return False
    drop_file(logo)
    return True
