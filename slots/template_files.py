"""The one way in which a template picture becomes as small as services need it, and without
metadata: at its upload, or later for one that was stored before there was this way."""

import hashlib
import uuid
from dataclasses import dataclass

from django.conf import settings

from media import storage
from media.models import MediaObject
from photochanger.pictures import EXTENSIONS, Photo, prepare_photo
from providers.base import DriverSettings
from providers.clean_photo import clean_photo

MB = 1024 * 1024
TEMPLATE_SIDE_PX = DriverSettings.DEFAULT_SEND_SIDE_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A stored file that no row names yet."""

    path: str
    mime: str
    size_bytes: int
    sha256: str


def is_too_large(photo: Photo) -> bool:
    return photo.header.longest_px > TEMPLATE_SIDE_PX


def make_small(photo: Photo, *, side_px: int = TEMPLATE_SIDE_PX) -> Photo:
    """Its longest side as asked, and its transparency kept. Blocking.

    It may be ``photo`` itself, if that is no larger. Raises UnreadablePicture.
    """
    return prepare_photo(photo, max_side_px=side_px, keep_alpha=True, always_shrinks=True)


def read_clean(photo: Photo) -> tuple[bytes, str]:
    """What is stored of it: its bytes without metadata, and their type. Blocking."""
    slices = clean_photo(photo, max_bytes=settings.MAX_UPLOAD_MB * MB)
    body, mime = slices.read_all(), slices.mime
    slices.close()
    return body, mime


def write_small(photo: Photo) -> NewFile:
    """Store it in a folder of its own. Blocking. Raises StorageError."""
    body, mime = read_clean(photo)
    path = f"templates/{uuid.uuid4()}/picture.{EXTENSIONS[mime]}"
    storage.write(path, body)
    return NewFile(
        path=path, mime=mime, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest()
    )


def point_to(media: MediaObject, new: NewFile) -> bool:
    """Whether the row names this file from now on: of two who try, one does."""
    found = MediaObject.objects.filter(pk=media.pk, path=media.path, cleaned_at__isnull=True)
    return bool(
        found.update(path=new.path, mime=new.mime, size_bytes=new.size_bytes, sha256=new.sha256)
    )
