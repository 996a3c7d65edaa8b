"""A photo of which anything is missing: the same answer at every door, and nobody is paid."""

import io
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import override_settings
from PIL import Image

from ingest.models import Job
from ingest.tests.support import IngestTestCase
from photochanger.db import in_db
from photochanger.web.tokens import AdminToken
from slots.models import Slot

FORMATS = ("JPEG", "PNG", "WEBP")


def draw(file_format: str, *, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.effect_noise((320, 240), 60).convert("RGB")
    out = io.BytesIO()
    image.save(out, file_format, exif=exif, **options)
    return out.getvalue()


def cut(body: bytes) -> bytes:
    return body[: len(body) * 7 // 10]


class DoorTests(IngestTestCase):
    headers: dict[str, str]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        serg = User.objects.create(username="serg", password="!", is_superuser=True)
        cls.headers = {"Authorization": f"Bearer {AdminToken.for_user(serg)}"}

    async def send(self, door: str, photo: bytes) -> HttpResponse:
        if door == "booth":
            return await self.post(photo)
        if door == "test run":
            return await self.post(
                photo,
                path="/api/slots/slot-001/test-run",
                field="test_image",
                headers=self.headers,
                password=None,
            )
        form = {"slot_id": "slot-001", "file": SimpleUploadedFile("x.jpg", photo, "image/jpeg")}
        if door == "template":
            form["media_kind"] = "style"
        path = "/api/template-media/register" if door == "template" else "/api/media/register"
        answer = await self.async_client.post(path, form, headers=self.headers)
        return cast(HttpResponse, answer)

    async def test_a_cut_photo_is_refused_everywhere_and_costs_nothing(self) -> None:
        for door in ("booth", "test run", "template", "test photo"):
            for file_format in FORMATS:
                for orientation in (1, 6):
                    photo = cut(draw(file_format, orientation=orientation))
                    with self.subTest(door, format=file_format, orientation=orientation):
                        answer = await self.send(door, photo)
                        self.assertEqual(answer.status_code, 400, answer.content)
                        self.assertEqual(answer.json()["failure_reason"], "invalid_image")
        self.assertEqual(
            (await Job.objects.acount(), self.provider.calls, self.files()), (0, [], [])
        )

    @override_settings(PUBLIC_MEDIA_BASE_URL="http://127.0.0.1:1", TURBOTEXT_API_KEY="sim-key")
    async def test_a_service_that_fetches_its_photos_is_no_exception(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(
            provider="turbotext", operation="image_edit", settings={"prompt": "A moon"}
        )
        for file_format in FORMATS:
            answer = await self.post(cut(draw(file_format, orientation=6)))
            self.assertEqual(answer.json()["failure_reason"], "invalid_image", file_format)
        self.assertEqual((await Job.objects.acount(), self.files()), (0, []))

    async def test_a_photo_that_lacks_only_its_end_marker_passes(
        self,
    ) -> None:
        for orientation in (1, 6):
            answer = await self.post(draw("JPEG", orientation=orientation)[:-2])
            self.assertEqual(answer.status_code, 200, answer.content)

    async def test_a_refused_photo_leaves_the_slot_free_and_an_equal_one_costs_no_decoding(
        self,
    ) -> None:
        photo = draw("JPEG")
        self.assertEqual((await self.post(cut(photo))).status_code, 400)
        self.assertEqual((await self.post(photo)).status_code, 200)
        again = await self.post(photo)
        self.assertEqual(again["X-PhotoChanger-Replay"], "1")
        self.assertEqual(await in_db(Job.objects.count), 1)
