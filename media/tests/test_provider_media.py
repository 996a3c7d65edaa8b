"""What a provider may fetch, and for how long."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.test import TestCase
from django.utils import timezone
from structlog.testing import capture_logs

from media.models import MediaObject
from media.provider_inputs import publish_input, remove_inputs
from media.tests.support import EXTENSIONS
from photochanger.db import in_db
from photochanger.errors import StorageError
from photochanger.testing.marks import both_databases

pytestmark = both_databases

JPEG = b"\xff\xd8\xff" + bytes(600_000)


class ProviderMediaTests(TestCase):
    def setUp(self) -> None:
        self.job_id = uuid.uuid4()

    async def publish(self, mime: str = "image/jpeg", *, seconds: float = 60) -> MediaObject:
        expires_at = timezone.now() + timedelta(seconds=seconds)
        return await publish_input(
            *(self.job_id, "slot-001", JPEG),
            mime=mime,
            extension=EXTENSIONS[mime],
            expires_at=expires_at,
        )

    async def fetch(self, name: object, method: str = "get") -> Any:
        answer = await getattr(self.async_client, method)(f"/public/provider-media/{name}")
        if answer.streaming:
            answer.body = b"".join([chunk async for chunk in answer.streaming_content])
        return answer

    async def test_the_picture_is_there_with_and_without_its_suffix(self) -> None:
        for mime, suffix in (("image/jpeg", ".jpg"), ("image/png", ".png")):
            media = await self.publish(mime)
            for name in (media.pk, f"{media.pk}{suffix}", media.pk.hex):
                answer = await self.fetch(name)
                self.assertEqual((answer.status_code, answer.body), (200, JPEG))
                self.assertEqual(answer["Content-Type"], mime)
                self.assertEqual(answer["Content-Length"], str(len(JPEG)))
                self.assertEqual(answer["Cache-Control"], "no-store")
                self.assertEqual(answer["X-Robots-Tag"], "noindex")
                self.assertFalse(answer.cookies)

    async def test_head_has_the_headers_of_get_and_is_not_counted(self) -> None:
        media = await self.publish()
        answer = await self.fetch(f"{media.pk}.jpg", "head")
        self.assertEqual((answer.status_code, answer.content), (200, b""))
        self.assertEqual(answer["Content-Length"], str(len(JPEG)))
        self.assertEqual(answer["Content-Type"], "image/jpeg")
        await media.arefresh_from_db()
        self.assertEqual(media.fetches, 0)

    async def test_every_fetch_is_counted_and_logged(self) -> None:
        media = await self.publish()
        with capture_logs() as logs:
            await self.fetch(media.pk)
            await self.fetch(media.pk)
        await media.arefresh_from_db()
        self.assertEqual(media.fetches, 2)
        lines = [line for line in logs if line["event"] == "media.provider_input.fetched"]
        self.assertEqual([line["job"] for line in lines], [str(self.job_id)] * 2)

    async def test_an_unknown_picture_is_404(self) -> None:
        media = await self.publish()
        other = await self.publish()
        await MediaObject.objects.filter(pk=other.pk).aupdate(kind=MediaObject.Kind.RESULT)
        for name in (uuid.uuid4(), "x", "x.jpg", f"{media.pk}.html", f"{media.pk}.", other.pk):
            answer = await self.fetch(name)
            self.assertEqual(answer.status_code, 404, name)
            self.assertEqual(answer.json()["failure_reason"], "result_not_found")

    async def test_an_expired_picture_is_410(self) -> None:
        media = await self.publish(seconds=-1)
        for method in ("get", "head"):
            self.assertEqual((await self.fetch(media.pk, method)).status_code, 410)

    async def test_removed_with_its_job_it_is_410_and_off_the_disk(self) -> None:
        first, second = await self.publish(), await self.publish("image/png")
        for media in (first, first, second):
            await self.fetch(media.pk)
        self.assertEqual(await in_db(remove_inputs, self.job_id), 3)
        for media in (first, second):
            self.assertFalse(default_storage.exists(media.path))
            self.assertEqual((await self.fetch(f"{media.pk}.jpg")).status_code, 410)
            await media.arefresh_from_db()
            self.assertIsNotNone(media.cleaned_at)

    async def test_only_the_jobs_own_pictures_are_removed(self) -> None:
        media = await self.publish()
        self.assertEqual(await in_db(remove_inputs, uuid.uuid4()), 0)
        self.assertEqual((await self.fetch(media.pk)).status_code, 200)

    async def test_a_picture_that_finds_no_room_leaves_no_row(self) -> None:
        (settings.MEDIA_ROOT / "provider-inputs").write_bytes(b"in the way")
        with self.assertRaises(StorageError):
            await self.publish()
        self.assertFalse(await MediaObject.objects.aexists())

    async def test_nobody_can_change_it(self) -> None:
        media = await self.publish()
        for method in ("post", "put", "delete"):
            self.assertEqual((await self.fetch(media.pk, method)).status_code, 405)
