"""Pictures that administrators upload or keep: templates, photos for test runs, samples."""

import hashlib
import uuid
from datetime import datetime

from media import storage
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import MediaNotFound
from photochanger.parsing import parse_id

FOLDERS = {
    MediaObject.Kind.TEMPLATE: "templates",
    MediaObject.Kind.LOGO: "templates",  # which backups hold
    MediaObject.Kind.SAMPLE: "templates",
    MediaObject.Kind.TEST_PHOTO: "test-photos",
}


def store_upload(
    kind: MediaObject.Kind,
    slot_id: str,
    body: bytes,
    *,
    mime: str,
    extension: str,
    expires_at: datetime | None,
) -> MediaObject:
    """File first, row second; ``expires_at`` None: kept. Raises StorageError."""
    media_id = uuid.uuid4()
    # A folder of its own, deleted with it: the folder of another upload is never touched.
    path = f"{FOLDERS[kind]}/{media_id}/picture.{extension}"
    with storage.write_or_undo(path, body):
        return MediaObject.objects.create(
            id=media_id,
            slot_id=slot_id,
            kind=kind,
            path=path,
            mime=mime,
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            expires_at=expires_at,
        )


def find_upload(kind: MediaObject.Kind, media_id: str | uuid.UUID) -> MediaObject:
    """Raises MediaNotFound, also when it has expired."""
    key = parse_id(media_id, MediaNotFound)
    media = MediaObject.objects.filter(pk=key, kind=kind).first()
    if media is None or media.is_over(clock.now()):
        raise MediaNotFound(str(key))
    return media


def read_upload(kind: MediaObject.Kind, media_id: str | uuid.UUID) -> tuple[MediaObject, bytes]:
    """Raises MediaNotFound, StorageError."""
    media = find_upload(kind, media_id)
    try:
        return media, storage.read(media.path)
    except FileNotFoundError as exc:
        raise MediaNotFound(f"{media.path} is not there") from exc
