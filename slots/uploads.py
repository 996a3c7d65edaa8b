"""Pictures that administrators upload for a slot: by content, sane, and without metadata."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.conf import settings

from media.models import MediaObject
from media.uploads import store_upload
from photochanger.db import clock
from photochanger.errors import InvalidImage, PayloadTooLarge
from photochanger.pictures import EXTENSIONS, Photo, UnreadablePicture, prepare_photo
from slots.services import find_slot
from slots.template_files import MB, TEMPLATE_SIDE_PX, make_small, read_clean

log = structlog.get_logger()

UNUSED_TEMPLATE_LIVES = timedelta(days=1)  # time enough to save the form it was uploaded in


class Upload(Protocol):
    """A file of a form: Django's, or any other that knows its size."""

    @property
    def size(self) -> int | None: ...

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredUpload:
    media: MediaObject
    width: int
    height: int


def register_template(
    slot_id: str, upload: Upload, *, by: str, side_px: int = TEMPLATE_SIDE_PX
) -> StoredUpload:
    """Store a template picture, upright and without metadata; no slot uses it yet.

    Raises SlotNotFound, PayloadTooLarge, UnsupportedMediaType, InvalidImage, StorageError.
    """
    slot = find_slot(slot_id)
    stored = _store_plain(
        MediaObject.Kind.TEMPLATE,
        slot.pk,
        _open_photo(upload),
        expires_at=clock.now() + UNUSED_TEMPLATE_LIVES,
        side_px=side_px,
    )
    log.info("slots.template.registered", slot=slot.pk, media=str(stored.media.pk), by=by)
    return stored


def store_lab_photo(upload: Upload, *, expires_at: datetime) -> StoredUpload:
    """Keep a photo that many recipes are tried on, upright and without metadata; of no slot.

    Raises PayloadTooLarge, UnsupportedMediaType, InvalidImage, StorageError.
    """
    kind = MediaObject.Kind.TEST_PHOTO
    return _store_plain(kind, "", _open_photo(upload), expires_at=expires_at)


def _store_plain(
    kind: MediaObject.Kind,
    slot_id: str,
    photo: Photo,
    *,
    expires_at: datetime,
    side_px: int = TEMPLATE_SIDE_PX,
) -> StoredUpload:
    """Smaller once and for all: it goes out many times."""
    try:
        plain = make_small(photo, side_px=side_px)
        body, mime = read_clean(plain)
    except UnreadablePicture as exc:
        raise InvalidImage(str(exc)) from exc
    if plain is not photo:
        plain.file.close()
    media = store_upload(
        *(kind, slot_id, body), mime=mime, extension=EXTENSIONS[mime], expires_at=expires_at
    )
    return StoredUpload(media, *plain.header.upright_size)


def register_test_photo(slot_id: str, upload: Upload, *, by: str) -> StoredUpload:
    """Keep a photo for test runs for a short while, as it is. Raises as ``register_template``."""
    slot = find_slot(slot_id)
    photo = _open_photo(upload)
    try:
        prepare_photo(photo)
    except UnreadablePicture as exc:
        raise InvalidImage(str(exc)) from exc
    media = store_upload(
        MediaObject.Kind.TEST_PHOTO,
        slot.pk,
        photo.file.read(),
        mime=photo.mime,
        extension=EXTENSIONS[photo.mime],
        expires_at=clock.now() + timedelta(seconds=settings.TEMP_TTL_SECONDS),
    )
    log.info("slots.test_photo.registered", slot=slot.pk, media=str(media.pk), by=by)
    return StoredUpload(media, photo.header.width, photo.header.height)


def _open_photo(upload: Upload) -> Photo:
    if (upload.size or 0) > settings.MAX_UPLOAD_MB * MB:
        raise PayloadTooLarge(f"{upload.size} bytes")
    body = upload.read()
    return Photo.open(io.BytesIO(body), max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
