"""The small WEBP of each result, for galleries, guest pages and the console; and of pictures that
administrators have uploaded."""

import asyncio
import hashlib
import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import transaction
from PIL import Image

from media import storage
from media.deletion import expire_result
from media.models import MediaObject
from media.services import find_linked_result, select_live_results
from photochanger.db import in_db
from photochanger.errors import ResultExpired, ResultNotFound, StorageError
from photochanger.pictures import UnreadablePicture, decode_file
from photochanger.pictures.decoding import Decoded
from photochanger.pictures.header import RESULT_FORMATS
from photochanger.pictures.provenance import AI_MADE_XMP

log = structlog.get_logger()

PREVIEW_SIDE_PX = 512
KEPT_SMALL = 256  # of uploaded pictures, 20 KB each
# One at a time: many phones that ask for the same missing preview have it made once, and photos
# in progress keep their threads and their core.
_maker = ThreadPoolExecutor(1, thread_name_prefix="preview")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPreview:
    size_bytes: int
    sha256: str


def build_preview_path(slot_id: str, job_id: uuid.UUID) -> str:
    return f"results/{slot_id}/{job_id}/preview.webp"


def write_preview(slot_id: str, job_id: uuid.UUID, image: Image.Image) -> StoredPreview:
    """Make and store the preview. Blocking, 5 ms. Raises StorageError."""
    preview = make_preview(image)
    storage.write(build_preview_path(slot_id, job_id), preview)
    return _describe_preview(preview)


def _describe_preview(preview: bytes) -> StoredPreview:
    return StoredPreview(size_bytes=len(preview), sha256=hashlib.sha256(preview).hexdigest())


def make_preview(image: Image.Image, *, is_ai_made: bool = True) -> bytes:
    """WEBP of at most 512 px. Method 2 costs half of the default's time for a few bytes more."""
    small = image if image.mode in ("RGB", "RGBA") else image.convert("RGB")
    small = small.reduce(max(1, max(small.size) // PREVIEW_SIDE_PX))
    small.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    xmp = {"xmp": AI_MADE_XMP} if is_ai_made else {}
    small.save(out, "WEBP", quality=80, method=2, **xmp)
    return out.getvalue()


def shrink_upload(path: str) -> bytes:
    """The small WEBP of a picture that an administrator has uploaded; one can see through it where
    one could before. Blocking, 20-60 ms once in a process. Raises FileNotFoundError, StorageError.
    """
    return _maker.submit(_shrink_upload, path).result()


@lru_cache(maxsize=KEPT_SMALL)  # a path never gets another file
def _shrink_upload(path: str) -> bytes:
    try:
        with storage.open_file(path) as file:
            found = decode_file(
                file,
                max_megapixels=settings.MAX_PHOTO_MEGAPIXELS,
                max_side_px=PREVIEW_SIDE_PX,
                keep_alpha=True,
            )
    except UnreadablePicture as exc:
        raise StorageError(f"{path} {exc}") from exc
    return make_preview(found.image, is_ai_made=False)


def record_preview(
    slot_id: str, job_id: uuid.UUID, preview: StoredPreview, *, expires_at: datetime | None
) -> None:
    """The row of a preview that ``write_preview`` has stored."""
    MediaObject.objects.create(
        slot_id=slot_id,
        job_id=job_id,
        kind=MediaObject.Kind.PREVIEW,
        path=build_preview_path(slot_id, job_id),
        mime="image/webp",
        size_bytes=preview.size_bytes,
        sha256=preview.sha256,
        expires_at=expires_at,
    )


async def find_or_make_preview(link_id: uuid.UUID) -> MediaObject:
    """The preview of a result, by either of its links; made now if it is missing.

    Raises ResultNotFound, ResultExpired, StorageError.
    """
    result, preview = await in_db(_find_result_and_preview, link_id)
    return preview or await remake_preview(result)


def _find_result_and_preview(link_id: uuid.UUID) -> tuple[MediaObject, MediaObject | None]:
    result = find_linked_result(link_id).media
    kind = MediaObject.Kind.PREVIEW
    previews = MediaObject.objects.filter(job_id=result.job_id, kind=kind)
    return result, previews.filter(cleaned_at__isnull=True).first()


async def remake_preview(result: MediaObject) -> MediaObject:
    """Make a preview whose file or row is missing. Raises as ``find_or_make_preview``."""
    loop = asyncio.get_running_loop()
    stored = await loop.run_in_executor(_maker, _make_missing, result)
    return await in_db(_upsert_preview, result, stored)


def _make_missing(result: MediaObject) -> StoredPreview:
    """Blocking: 25-50 ms, or a read when another request was quicker."""
    assert result.job_id is not None
    path = build_preview_path(result.slot_id, result.job_id)
    try:
        return _describe_preview(storage.read(path))
    except FileNotFoundError:
        pass
    image = decode_result(result, max_side_px=PREVIEW_SIDE_PX).image
    try:
        return write_preview(result.slot_id, result.job_id, image)
    except StorageError as exc:
        try:
            return _describe_preview(storage.read(path))  # another process has just made it
        except FileNotFoundError:
            raise exc from None


def decode_result(result: MediaObject, *, max_side_px: int) -> Decoded:
    """A stored result, plain and small. Blocking. Raises ResultNotFound, StorageError."""
    try:
        file = storage.open_file(result.path)
    except FileNotFoundError as exc:
        raise ResultNotFound(f"{result.path} is gone") from exc
    try:
        with file:
            return decode_file(
                file,
                max_megapixels=settings.MAX_PHOTO_MEGAPIXELS,
                formats=RESULT_FORMATS,
                max_side_px=max_side_px,
            )
    except UnreadablePicture as exc:
        raise StorageError(f"{result.path} {exc}") from exc


@transaction.atomic
def _upsert_preview(result: MediaObject, stored: StoredPreview) -> MediaObject:
    assert result.job_id is not None
    # Locked before the preview is written: a deletion at this moment must see the preview too.
    live = select_live_results().select_for_update(no_key=True).filter(pk=result.pk).first()
    preview, _ = MediaObject.objects.update_or_create(
        path=build_preview_path(result.slot_id, result.job_id),
        defaults={
            "slot_id": result.slot_id,
            "job_id": result.job_id,
            "kind": MediaObject.Kind.PREVIEW,
            "mime": "image/webp",
            "size_bytes": stored.size_bytes,
            "sha256": stored.sha256,
            "expires_at": (live or result).expires_at,
            "cleaned_at": None,
        },
    )
    if live is None:  # deleted while the preview was made
        expire_result(result.job_id)
        raise ResultExpired(str(result.job_id))
    log.info("media.preview.made", job=str(result.job_id), size_bytes=stored.size_bytes)
    return preview
