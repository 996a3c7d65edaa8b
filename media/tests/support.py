"""Stored results, as the photo's path leaves them."""

import hashlib
import io
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import TestCase
from django.utils import timezone
from PIL import Image

from media import storage
from media.models import MediaObject
from media.previews import record_preview, write_preview
from media.services import build_result_path, make_result

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True)
class StoredPicture:
    body: bytes
    mime: str
    image: Image.Image

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def make_picture(mime: str = "image/jpeg", *, side_px: int = 600) -> StoredPicture:
    image = Image.effect_noise((side_px, side_px), 40).convert("RGB")
    out = io.BytesIO()
    image.save(out, mime.removeprefix("image/").upper())
    return StoredPicture(out.getvalue(), mime, image)


async def read_body(answer: StreamingHttpResponse) -> bytes:
    return b"".join([chunk async for chunk in answer])


class ResultsTestCase(TestCase):
    def store_result(
        self,
        result: StoredPicture | None = None,
        *,
        slot_id: str = "slot-001",
        stored_at: datetime | None = None,
        ttl: timedelta = timedelta(hours=72),
        has_preview: bool = True,
        is_listed: bool = True,
    ) -> MediaObject:
        """A result as a closed job leaves it; returns its row."""
        result, job_id = result or make_picture(), uuid.uuid4()
        created_at = stored_at or timezone.now()
        path = build_result_path(slot_id, job_id, EXTENSIONS[result.mime])
        storage.write(path, result.body)
        make_result(
            *(slot_id, job_id, path),
            mime=result.mime,
            size_bytes=len(result.body),
            sha256=result.sha256,
            created_at=created_at,
            expires_at=created_at + ttl,
            is_listed=is_listed,
        ).save()
        if has_preview:
            stored = write_preview(slot_id, job_id, result.image)
            record_preview(slot_id, job_id, stored, expires_at=created_at + ttl)
        return MediaObject.objects.get(path=path)

    def get(self, media: MediaObject | object, tail: str = "", method: str = "get", **headers: str):  # type: ignore[no-untyped-def]
        """Answer of the public link, its ``body`` read to the end."""
        job_id = media.job_id if isinstance(media, MediaObject) else media
        return self.request(f"/public/results/{job_id}{tail}", method, **headers)

    def request(self, path: str, method: str = "get", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = getattr(self.client, method)(path, headers=named)
        answer.body = async_to_sync(read_body)(answer) if answer.streaming else answer.content
        return answer

    def list_result_files(self) -> list[str]:
        root = settings.MEDIA_ROOT / "results"
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
