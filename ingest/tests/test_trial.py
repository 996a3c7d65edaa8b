"""The slot page's trial over HTTP: the unsaved form, a photo, and the outcome in words."""

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from ingest.models import Job
from ingest.tests.support import IngestTestCase, jpeg
from photochanger.db import in_db
from slots.models import Slot

TRY = "/admin/slot/slot-001/try/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/slots/slot/slot-001/"}


class TrialPageTests(IngestTestCase):
    serg: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg", password="x")

    def setUp(self) -> None:
        super().setUp()
        self.async_client.force_login(self.serg)

    async def run_trial(
        self, photo: bytes | None = None, *, prompt: str = "As an oil painting", **fields: Any
    ) -> Any:
        form = {
            "provider": "gemini",
            "operation": "image_edit",
            "recipe-gemini-prompt": prompt,
            "size_limit_mb": "15",
            **fields,
        }
        if photo is not None:
            form["test_photo"] = SimpleUploadedFile("a.jpg", photo, "image/jpeg")
        return await self.async_client.post(TRY, form, headers=HTMX)

    async def test_a_photo_goes_the_whole_way_with_the_unsaved_form(self) -> None:
        before = await Slot.objects.filter(pk="slot-001").values().aget()
        answer = await self.run_trial(jpeg(), prompt="A nebula", sync_response_seconds="20")
        job = await Job.objects.aget()
        self.assertEqual((job.status, job.source), ("done", "ui_test"))
        for words in (
            "Картинка готова за",
            f"/public/results/{job.pk}",
            "Запас из 20 с",
            "Скачать",
        ):
            self.assertContains(answer, words)
        self.assertIn("A nebula", str(self.provider.calls[-1]))
        self.assertEqual(await Slot.objects.filter(pk="slot-001").values().aget(), before)

    @override_settings(PUBLIC_BASE_URL="https://photos.example.com")
    async def test_the_page_may_show_the_picture_wherever_guests_get_it(self) -> None:
        answer = await self.run_trial(jpeg())
        self.assertNotContains(answer, "photos.example.com")

    async def test_without_a_photo_a_sample_portrait_is_tried(self) -> None:
        self.assertContains(await self.run_trial(), "Картинка готова за")
        sample = await self.async_client.get("/admin/slot/sample.jpg")
        self.assertEqual(sample["Content-Type"], "image/jpeg")
        self.assertEqual(sample["Cache-Control"], "private, max-age=600")

    async def test_each_call_is_shown_with_its_reason(self) -> None:
        answer = await self.run_trial(jpeg(), prompt="x [sim:no-image-then-ok]")
        for words in ("без пригодной картинки", "NO_IMAGE", "Картинка пришла."):
            self.assertContains(answer, words)

    async def test_a_failure_is_shown_with_its_calls(self) -> None:
        answer = await self.run_trial(jpeg(), prompt="x [sim:400-key]")
        job = await Job.objects.aget()
        for words in ("не принял наш ключ", "HTTP 400", f"/admin/ingest/job/{job.pk}/"):
            self.assertContains(answer, words)
        self.assertNotContains(answer, "data-compare")

    async def test_an_invalid_form_is_refused_with_an_error_for_each_field(self) -> None:
        answer = await self.run_trial(jpeg(), prompt="", size_limit_mb="99")
        for words in ('data-field="size_limit_mb"', "Предел размера"):
            self.assertContains(answer, words)
        answer = await self.run_trial(jpeg(), prompt="")
        self.assertContains(answer, 'data-field="settings.prompt">Промпт')
        self.assertEqual((await Job.objects.acount(), self.provider.calls), (0, []))

    async def test_photos_are_refused_as_from_a_booth(self) -> None:
        for photo, words, limit_mb in (
            (b"GIF89a", "JPEG, PNG", "15"),
            (jpeg()[:600], "не читается", "15"),
            (jpeg() + b"x" * 1024 * 1024, "слишком больш", "1"),
        ):
            with self.subTest(words=words):
                answer = await self.run_trial(photo, size_limit_mb=limit_mb)
                self.assertContains(answer, words)
                self.assertContains(answer, "trial-failed")
        self.assertEqual(await Job.objects.acount(), 0)

    async def test_only_administrators_may_try_slots(self) -> None:
        await in_db(self.async_client.logout)
        out = await self.run_trial(jpeg())
        self.assertEqual(out.status_code, 401)
        self.assertIn("/admin/login/", out["X-Login"])
        self.assertEqual((await self.async_client.get(TRY)).status_code, 302)
        self.assertEqual(await Job.objects.acount(), 0)

    async def test_an_unknown_slot_is_an_error(self) -> None:
        answer = await self.async_client.post("/admin/slot/slot-099/try/", {})
        self.assertContains(answer, "Такого слота нет")
