"""The API's trial (`test-run`): the path of a booth's photo, with an unsaved form."""

import io
import json
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.utils import timezone
from PIL import Image

from ingest.models import Attempt, Job
from ingest.pipeline.admission import admit
from ingest.pipeline.order import Deadline, Order
from ingest.tests.support import IngestTestCase, jpeg
from media import storage
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.db import in_db
from photochanger.pictures import Photo
from photochanger.web.tokens import AdminToken
from slots.editing import build_draft
from slots.models import Slot
from slots.platform_settings import change_settings, load_platform_settings
from slots.schemas import SlotIn

RUN = "/api/slots/slot-001/test-run"


class TrialTests(IngestTestCase):
    headers: dict[str, str]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        serg = User.objects.create(username="serg", password="!", is_superuser=True)
        cls.headers = {
            "Authorization": f"Bearer {AdminToken.for_user(serg)}",
            "Accept-Language": "en",
        }

    async def run_trial(
        self,
        photo: bytes | None = None,
        *,
        path: str = RUN,
        as_json: bool = False,
        payload: Any = None,
        **fields: Any,
    ) -> HttpResponse:
        if payload is not None:
            fields["slot_payload"] = payload if isinstance(payload, str) else json.dumps(payload)
        return await self.post(
            photo,
            path=path + ("?as=json" if as_json else ""),
            field="test_image",
            headers=self.headers,
            password=None,
            **fields,
        )

    def register(self, kind: MediaObject.Kind, body: bytes, slot_id: str = "slot-001") -> str:
        media = MediaObject(
            slot_id=slot_id,
            kind=kind,
            mime="image/jpeg",
            size_bytes=len(body),
            expires_at=timezone.now() + timedelta(minutes=1),
        )
        media.path = f"test-photos/{media.pk}/picture.jpg"
        storage.write(media.path, body)
        self.addCleanup(storage.remove, media.path)
        media.save()
        return media.pk.hex

    async def test_the_picture_comes_back_without_a_booth_password(self) -> None:
        answer = await self.run_trial()
        job = await Job.objects.aget()
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual((job.source, job.status), ("ui_test", "done"))
        self.assertEqual(answer["X-Job-Id"], str(job.pk))
        self.assertEqual(answer["X-Result-Url"], f"http://testserver/public/results/{job.pk}")
        Image.open(io.BytesIO(answer.content)).load()

    async def test_as_json_it_reports_the_outcome(self) -> None:
        answer = await self.run_trial(as_json=True)
        content, job = answer.json(), await Job.objects.aget()
        self.assertEqual(answer["X-Job-Id"], content["job_id"])
        self.assertEqual((content["job_id"], content["status"]), (str(job.pk), "done"))
        self.assertEqual(content["overhead_ms"], content["duration_ms"] - content["provider_ms"])
        (attempt,) = content["attempts"]
        self.assertEqual((attempt["number"], attempt["http_status"]), (1, 200))
        self.assertEqual(attempt["model"], "gemini-nano-banana-2.1")
        for name in ("result_url", "preview_url"):
            got = await self.async_client.get(content[name].removeprefix("http://testserver"))
            self.assertEqual(got.status_code, 200, name)

    async def test_its_result_is_in_no_public_list(self) -> None:
        await self.run_trial()
        self.assertEqual(await select_listed_results().acount(), 0)
        self.assertEqual(await MediaObject.objects.filter(kind="result").acount(), 1)

    async def test_an_equal_photo_is_processed_again(self) -> None:
        photo = jpeg()
        for _ in range(2):
            self.assertNotIn("X-PhotoChanger-Replay", await self.run_trial(photo))
        await self.post(photo)
        self.assertEqual(len(self.provider.calls), 3)

    async def test_a_slot_that_is_off_can_be_tried(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(is_active=False)
        self.assertEqual((await self.run_trial()).status_code, 200)

    async def test_a_slot_that_is_not_configured_says_what_is_missing(self) -> None:
        answer = await self.run_trial(path="/api/slots/slot-002/test-run")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["fields"], {"settings.prompt": "This field is needed."})
        self.assertEqual(await Job.objects.acount(), 0)

    async def test_the_unsaved_form_is_used_and_not_saved(self) -> None:
        before = await Slot.objects.filter(pk="slot-001").values().aget()
        answer = await self.run_trial(
            as_json=True,
            payload={
                "settings": {"prompt": "As a watercolour", "model": "gemini-3-pro-image"},
                "sync_response_seconds": 12,
                "display_name": "x",
                "on_failure": "original",
            },
        )
        self.assertEqual(answer.json()["attempts"][0]["model"], "gemini-3-pro-image")
        job = await Job.objects.aget()
        self.assertEqual(job.deadline - job.started_at, timedelta(seconds=12))
        self.assertEqual(await Slot.objects.filter(pk="slot-001").values().aget(), before)

    def test_a_save_meanwhile_does_not_change_the_trial(self) -> None:
        form = SlotIn(settings={"prompt": "draft"})
        slot, templates = build_draft("slot-001", form)
        Slot.objects.filter(pk="slot-001").update(version=7, settings={"prompt": "saved"})
        photo = Photo.open(io.BytesIO(jpeg()), max_megapixels=1)
        order = Order(
            slot=slot,
            platform=load_platform_settings(),
            photo=photo,
            source=Job.Source.UI_TEST,
            deadline=Deadline(arrived_at=0.0, started_at=timezone.now(), wait_s=10),
            draft_templates=templates,
        )
        self.assertEqual(admit(order).job.slot.settings, {"prompt": "draft"})

    async def test_template_pictures_of_the_form_are_used(self) -> None:
        media_id = await sync_to_async(self.register)(MediaObject.Kind.TEMPLATE, jpeg())
        pictures = [{"media_kind": "style", "media_object_id": media_id}]
        answer = await self.run_trial(payload={"template_media": pictures})
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertIn("image 2 is a style reference", str(self.provider.calls[-1]))
        self.assertEqual(await self.slot.template_media.acount(), 0)

    async def test_an_invalid_form_is_refused_field_by_field(self) -> None:
        for payload, field in (
            ({"settings": {"prompt": ""}}, "settings.prompt"),
            ({"size_limit_mb": 99}, "size_limit_mb"),
            ({"provider": "nobody"}, "provider"),
            ({"what": 1}, "what"),
            ("[]", "slot_payload"),
            ("{", "slot_payload"),
            ('{"display_name": "\\ud800"}', "slot_payload"),
        ):
            with self.subTest(payload=payload):
                answer = await self.run_trial(payload=payload)
                self.assertEqual(answer.status_code, 400, answer.content)
                self.assertEqual(list(answer.json()["fields"]), [field])
        self.assertEqual((await Job.objects.acount(), self.provider.calls), (0, []))

    async def test_a_registered_photo_can_be_used(self) -> None:
        photo = jpeg()
        register = sync_to_async(self.register)
        media_id = await register(MediaObject.Kind.TEST_PHOTO, photo)
        answer = await self.run_trial(b"", media_object_id=media_id)
        self.assertEqual(answer.status_code, 200, answer.content)
        foreign = await register(MediaObject.Kind.TEST_PHOTO, photo, slot_id="slot-002")
        template = await register(MediaObject.Kind.TEMPLATE, photo)
        for wrong in (foreign, template, "7" * 32, "x"):
            answer = await self.run_trial(b"", media_object_id=wrong)
            self.assertEqual(list(answer.json()["fields"]), ["media_object_id"])

    async def test_photos_are_refused_as_from_a_booth(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(size_limit_mb=1)
        for photo, status, reason in (
            (b"", 400, "invalid_request"),
            (b"GIF89a", 415, "unsupported_media_type"),
            (jpeg()[:600], 400, "invalid_image"),
            (jpeg() + b"x" * 1024 * 1024, 413, "payload_too_large"),
        ):
            with self.subTest(reason=reason):
                answer = await self.run_trial(photo)
                self.assertEqual(answer.json()["failure_reason"], reason)
                self.assertEqual(answer.status_code, status)
        path = "/api/slots/slot-099/test-run"
        self.assertEqual((await self.run_trial(path=path)).status_code, 404)
        self.assertEqual(await Job.objects.acount(), 0)

    async def test_a_failure_names_its_job_and_as_json_every_call(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(on_failure="original")
        payload = {"settings": {"prompt": "x [sim:400-key]"}}
        plain = await self.run_trial(payload=payload)
        job = await Job.objects.aget()
        self.assertEqual((plain.status_code, plain.json()["job_id"]), (503, str(job.pk)))
        content = (await self.run_trial(payload=payload, as_json=True)).json()
        self.assertEqual((content["status"], content["failure_reason"]), ("error", "provider_auth"))
        self.assertIn("key", content["details"])
        (attempt,) = content["attempts"]
        row = await Attempt.objects.aget(job_id=content["job_id"])
        self.assertEqual(
            (attempt["failure_reason"], attempt["detail"]), ("provider_auth", row.detail)
        )
        self.assertEqual(await Job.objects.filter(fell_back=True).acount(), 0)

    async def test_a_trial_counts_against_the_limits(self) -> None:
        await in_db(change_settings, {"max_jobs_per_slot": 1}, by="test")
        await Job.objects.acreate(
            slot_id="slot-001",
            slot_version=1,
            source="ingest",
            provider="gemini",
            operation="image_edit",
            started_at=timezone.now(),
            deadline=timezone.now() + timedelta(seconds=30),
            photo_sha256="x",
            photo_bytes=1,
        )
        answer = await self.run_trial()
        self.assertEqual((answer.status_code, answer["Retry-After"]), (429, "3"))

    async def test_without_a_token_the_body_is_not_read(self) -> None:
        answer = await self.async_client.post(
            RUN, {"test_image": SimpleUploadedFile("a.jpg", jpeg())}
        )
        self.assertEqual(answer.status_code, 401)
