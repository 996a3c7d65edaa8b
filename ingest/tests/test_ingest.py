"""The path of one photo over HTTP: what comes back, and what it leaves behind."""

import hashlib
import io
from datetime import datetime, timedelta

from django.utils import timezone
from PIL import Image

from ingest.booth.drill_key import make_drill_key
from ingest.models import Attempt, Job
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from slots.models import Slot
from slots.platform_settings import change_settings

pytestmark = both_databases


class HappyPathTests(IngestTestCase):
    async def test_a_photo_comes_back_as_another_picture(self) -> None:
        photo = jpeg()
        response = await self.post(photo)
        job = await Job.objects.aget()
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response["Content-Type"], "image/jpeg")
        self.assertEqual(response["Content-Length"], str(len(response.content)))
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(response["X-Job-Id"], str(job.pk))
        self.assertEqual(response["X-Result-Url"], f"http://testserver/public/results/{job.pk}")
        self.assertIn(f'{job.pk}.jpg"', response["Content-Disposition"])
        self.assertNotEqual(response.content, photo)
        Image.open(io.BytesIO(response.content)).load()

    async def test_the_job_row_holds_the_whole_outcome(self) -> None:
        photo = jpeg()
        await self.post(
            photo, hash=hashlib.sha1(photo).hexdigest(), id="CY04N", name="DESKTOP", version="3.30"
        )
        job = await Job.objects.aget()
        self.assertEqual((job.status, job.source, job.failure_reason), ("done", "ingest", ""))
        self.assertEqual((job.provider, job.operation), ("gemini", "image_edit"))
        self.assertEqual(job.photo_sha256, hashlib.sha256(photo).hexdigest())
        self.assertEqual((job.photo_bytes, job.hash_recipe), (len(photo), "sha1"))
        self.assertEqual(
            (job.booth_id, job.booth_name, job.booth_version), ("CY04N", "DESKTOP", "3.30")
        )
        self.assertEqual(job.deadline - job.started_at, timedelta(seconds=48))
        assert job.finished_at and job.result_expires_at
        self.assertEqual(job.result_expires_at - job.finished_at, timedelta(hours=72))
        assert job.duration_ms is not None and job.provider_ms is not None
        self.assertGreaterEqual(job.duration_ms, job.provider_ms)
        attempt = await Attempt.objects.aget(job=job)
        self.assertEqual((attempt.number, attempt.http_status), (1, 200))
        self.assertEqual(attempt.model, "gemini-nano-banana-2.1")
        self.assertEqual(attempt.finish_reason, "STOP")
        self.assertIn("totalTokenCount", attempt.usage)

    async def test_picture_and_preview_are_stored_whole(self) -> None:
        response = await self.post()
        job = await Job.objects.aget()
        folder = f"results/slot-001/{job.pk}"
        self.assertEqual(self.files(), [f"{folder}/payload.jpg", f"{folder}/preview.webp"])
        kinds = {m.kind: m async for m in MediaObject.objects.filter(job_id=job.pk)}
        self.assertEqual(set(kinds), {"result", "preview"})
        result = kinds["result"]
        self.assertEqual(result.sha256, hashlib.sha256(response.content).hexdigest())
        self.assertEqual(result.size_bytes, job.result_bytes)
        self.assertEqual(result.path, job.result_path)

    async def test_the_public_link_gives_the_same_picture(self) -> None:
        response = await self.post()
        again = await self.async_client.get(
            response["X-Result-Url"].removeprefix("http://testserver")
        )
        body = b"".join([chunk async for chunk in again.streaming_content])
        self.assertEqual((again.status_code, body), (200, response.content))
        self.assertTrue(again["Content-Disposition"].startswith("attachment;"))

    async def test_the_job_can_be_asked_for(self) -> None:
        response = await self.post()
        answer = await self.async_client.get(f"/api/jobs/{response['X-Job-Id']}")
        content = answer.json()
        self.assertEqual((content["status"], content["failure_reason"]), ("done", None))
        self.assertEqual(content["result_url"], response["X-Result-Url"])

    async def test_every_spelling_of_the_link_works_without_a_redirect(self) -> None:
        for path in ("/ingest/slot-001", "/api/ingest/slot-001"):
            for slash in ("", "/"):
                with self.subTest(path=path + slash):
                    self.assertEqual((await self.post(path=path + slash)).status_code, 200)

    async def test_the_file_may_have_any_of_its_names(self) -> None:
        for field in ("fileToUpload", "file", "image"):
            with self.subTest(field=field):
                self.assertEqual((await self.post(field=field)).status_code, 200)

    async def test_any_hash_or_none_is_accepted(self) -> None:
        photo = jpeg()
        hashes = {
            None: "",
            "7b6c683e1d3fd29c8701791c54e3c12a236f5a5b": "none",
            "not hex at all": "none",
            hashlib.md5(photo).hexdigest(): "md5",
            hashlib.sha1(photo).hexdigest().upper(): "sha1",
            hashlib.sha256(photo).hexdigest(): "sha256",
        }
        for number, (value, recipe) in enumerate(hashes.items()):
            with self.subTest(hash=value):
                headers = {"Idempotency-Key": f"key-{number}"}  # else it is the same order again
                response = await self.post(photo, hash=value, headers=headers)
                job = await Job.objects.aget(pk=response["X-Job-Id"])
                self.assertEqual((response.status_code, job.hash_recipe), (200, recipe))

    async def test_a_hash_behind_the_photo_is_compared_too(self) -> None:
        photo = jpeg()
        boundary = "------------090306000104030805010400"
        parts = [
            f'name="password"\r\n\r\n{"booth-secret-123"}'.encode(),
            b'name="fileToUpload"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' + photo,
            f'name="hash"\r\n\r\n{hashlib.md5(photo).hexdigest()}'.encode(),
        ]
        head = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
        body = b"".join(head + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
        response = await self.async_client.post(
            "/ingest/slot-001", body, content_type=f"multipart/form-data; boundary={boundary}"
        )
        job = await Job.objects.aget()
        self.assertEqual((response.status_code, job.hash_recipe), (200, "md5"))

    async def test_a_file_name_in_any_alphabet_does_not_matter(self) -> None:
        for charset in ("utf-8", "cp1251", "cp932"):
            name = ("写真" if charset == "cp932" else "Свадьба").encode(charset)
            body = (
                b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n'
                + PASSWORD.encode()
                + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="'
                + name
                + b'.jpg"\r\n\r\n'
                + jpeg()
                + b"\r\n--b--\r\n"
            )
            with self.subTest(charset=charset):
                response = await self.async_client.post(
                    "/ingest/slot-001", body, content_type="multipart/form-data; boundary=b"
                )
                self.assertEqual(response.status_code, 200)

    async def test_strict_hash_check_refuses_a_hash_of_no_recipe(self) -> None:
        photo = jpeg()
        await in_db(change_settings, {"hash_check": "strict"}, by="test")
        wrong = await self.post(photo, hash="7b6c683e1d3fd29c8701791c54e3c12a236f5a5b")
        right = await self.post(photo, hash=hashlib.sha1(photo).hexdigest())
        self.assertEqual(wrong.json()["failure_reason"], "checksum_mismatch")
        self.assertEqual((wrong.status_code, right.status_code), (400, 200))

    async def test_unknown_fields_and_other_files_are_ignored(self) -> None:
        response = await self.post(
            user_id="Acer", profile="C:\\x.xml", anything="else", other=io.BytesIO(b"not a photo")
        )
        self.assertEqual(response.status_code, 200)

    async def test_the_guests_metadata_goes_nowhere(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "SECRETCAMERA"
        await self.post(jpeg(exif=exif))
        assert self.provider.last_photo
        self.assertNotIn(b"SECRETCAMERA", self.provider.last_photo)

    async def test_png_and_webp_photos_are_taken_too(self) -> None:
        for kind in ("PNG", "WEBP"):
            out = io.BytesIO()
            Image.effect_noise((200, 150), 40).convert("RGB").save(out, kind)
            with self.subTest(kind=kind):
                self.assertEqual((await self.post(out.getvalue())).status_code, 200)


class TimeIsOverTests(IngestTestCase):
    async def test_an_expired_result_is_410_and_its_job_404(self) -> None:
        response = await self.post()
        past = timezone.now() - timedelta(seconds=1)
        await MediaObject.objects.aupdate(expires_at=past)
        result = await self.async_client.get(f"/public/results/{response['X-Job-Id']}")
        job = await self.async_client.get(f"/api/jobs/{response['X-Job-Id']}")
        self.assertEqual((result.status_code, job.status_code), (410, 404))
        self.assertEqual(result.json()["failure_reason"], "result_expired")
        self.assertEqual(job.json()["failure_reason"], "job_not_found")

    async def test_a_deleted_results_job_is_404(self) -> None:
        response = await self.post()
        await self.async_client.delete(f"/public/results/{response['X-Job-Id']}")
        job = await self.async_client.get(f"/api/jobs/{response['X-Job-Id']}")
        self.assertEqual((job.status_code, job.json()["failure_reason"]), (404, "job_not_found"))

    async def test_a_new_time_to_keep_results_holds_for_those_that_exist(self) -> None:
        response = await self.post()
        await in_db(change_settings, {"result_ttl_hours": 5}, by="serg")
        content = (await self.async_client.get(f"/api/jobs/{response['X-Job-Id']}")).json()
        job = await Job.objects.aget()
        assert job.finished_at
        until = datetime.fromisoformat(content["result_expires_at"])
        kept_s = (until - job.finished_at).total_seconds()
        self.assertAlmostEqual(kept_s, 5 * 3600, delta=0.01)
        kinds = MediaObject.objects.filter(expires_at=job.finished_at + timedelta(hours=5))
        self.assertEqual(await kinds.acount(), 2)

    async def test_an_unknown_result_is_404(self) -> None:
        unknown = "3f2b4c6d-0000-4000-8000-000000000000"
        result = await self.async_client.get(f"/public/results/{unknown}")
        self.assertEqual(result.status_code, 404)
        self.assertEqual(result.json()["failure_reason"], "result_not_found")

    async def test_a_job_nobody_closed_reads_as_interrupted(self) -> None:
        response = await self.post()
        past = timezone.now() - timedelta(seconds=1)
        await Job.objects.aupdate(status="processing", deadline=past)
        content = (await self.async_client.get(f"/api/jobs/{response['X-Job-Id']}")).json()
        self.assertEqual((content["status"], content["failure_reason"]), ("failed", "interrupted"))


class FailureTests(IngestTestCase):
    async def fails(self, scenario: str) -> tuple[int, str, Job]:
        await Slot.objects.filter(pk="slot-001").aupdate(settings={"prompt": f"x [sim:{scenario}]"})
        response = await self.post()
        job = await Job.objects.alatest("started_at")
        body = response.json()
        self.assertEqual(body["job_id"], str(job.pk))
        self.assertEqual(body["failure_reason"], job.failure_reason)
        self.assertEqual((self.files(), job.result_path), ([], ""))
        attempt = await Attempt.objects.filter(job=job).alast()
        assert attempt
        self.assertEqual(attempt.failure_reason, job.failure_reason)
        return response.status_code, body["failure_reason"], job

    async def test_each_failure_of_the_provider_has_one_reason(self) -> None:
        for scenario, status, reason in (
            ("400-key", 503, "provider_auth"),
            ("404-retired", 503, "provider_config"),
            ("img-safety", 502, "content_blocked"),
            ("400-unknown-field", 502, "provider_rejected"),
            ("html-200", 502, "bad_response"),
            ("truncated-image", 502, "bad_response"),
            ("503", 503, "provider_5xx"),
            ("429-daily", 503, "quota"),
            ("drop-connection", 503, "network"),
        ):
            with self.subTest(scenario=scenario):
                self.assertEqual((await self.fails(scenario))[:2], (status, reason))

    async def test_a_slot_without_a_key_says_so_before_any_call(self) -> None:
        with self.settings(GEMINI_API_KEY=""):
            response = await self.post()
        self.assertEqual(response.json()["failure_reason"], "provider_config")
        self.assertEqual(self.provider.calls, [])

    async def test_a_template_that_is_no_picture_or_gone_has_a_word_of_its_own(self) -> None:
        storage.write("templates/broken.jpg", b"not a picture")
        self.addCleanup(storage.remove, "templates/broken.jpg")
        media = await MediaObject.objects.acreate(
            slot_id="slot-001",
            kind=MediaObject.Kind.TEMPLATE,
            path="templates/broken.jpg",
            mime="image/jpeg",
            size_bytes=13,
        )
        await self.slot.template_media.acreate(media_kind="style", media_object=media)
        broken = await self.post()
        await MediaObject.objects.filter(pk=media.pk).aupdate(path="templates/gone.jpg")
        gone = await self.post()
        self.assertEqual((broken.status_code, gone.status_code), (503, 500))
        self.assertEqual(broken.json()["failure_reason"], "provider_config")
        self.assertEqual(gone.json()["failure_reason"], "storage_error")
        self.assertEqual(self.provider.calls, [])

    async def test_a_failed_photo_may_be_sent_again(self) -> None:
        photo = jpeg()
        await self.fails("img-safety")
        await Slot.objects.filter(pk="slot-001").aupdate(settings={"prompt": "x"})
        self.assertEqual((await self.post(photo)).status_code, 200)


class ReplayTests(IngestTestCase):
    async def test_the_same_photo_again_gets_the_same_picture(self) -> None:
        photo = jpeg()
        first, second = await self.post(photo), await self.post(photo)
        self.assertEqual(second.content, first.content)
        self.assertEqual(second["X-Job-Id"], first["X-Job-Id"])
        self.assertEqual(second["X-PhotoChanger-Replay"], "1")
        self.assertNotIn("X-PhotoChanger-Replay", first)
        self.assertEqual(len(self.provider.calls), 1)

    async def test_a_changed_slot_makes_a_new_picture(self) -> None:
        photo = jpeg()
        await self.post(photo)
        await Slot.objects.filter(pk="slot-001").aupdate(version=2)
        await self.post(photo)
        self.assertEqual(len(self.provider.calls), 2)

    async def test_replay_by_hash_can_be_switched_off(self) -> None:
        await in_db(change_settings, {"replay_by_hash": False}, by="test")
        photo = jpeg()
        await self.post(photo)
        await self.post(photo)
        self.assertEqual(len(self.provider.calls), 2)

    async def test_an_expired_result_is_not_replayed(self) -> None:
        photo = jpeg()
        await self.post(photo)
        await MediaObject.objects.aupdate(expires_at=timezone.now())
        response = await self.post(photo)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(len(self.provider.calls), 2)

    async def test_a_deleted_result_is_not_replayed(self) -> None:
        photo = jpeg()
        first = await self.post(photo)
        await self.async_client.delete(f"/public/results/{first['X-Job-Id']}")
        second = await self.post(photo)
        self.assertEqual((second.status_code, len(self.provider.calls)), (200, 2))
        self.assertNotEqual(second["X-Job-Id"], first["X-Job-Id"])

    async def test_a_result_lost_from_the_disk_is_made_again(self) -> None:
        photo = jpeg()
        first = await self.post(photo)
        job = await Job.objects.aget()
        storage.remove(job.result_path)
        second, third = await self.post(photo), await self.post(photo)
        self.assertEqual((second.status_code, len(self.provider.calls)), (200, 2))
        self.assertNotEqual(second["X-Job-Id"], first["X-Job-Id"])
        self.assertEqual(third["X-PhotoChanger-Replay"], "1")

    async def test_one_key_means_one_order(self) -> None:
        photo, headers = jpeg(), {"Idempotency-Key": "order-7"}
        first = await self.post(photo, headers=headers)
        second = await self.post(photo, headers=headers)
        other = await self.post(jpeg(), headers=headers)
        self.assertEqual(second["X-Job-Id"], first["X-Job-Id"])
        self.assertEqual((other.status_code, len(self.provider.calls)), (409, 1))
        self.assertEqual(other.json()["failure_reason"], "idempotency_conflict")
        self.assertEqual(other.json()["job_id"], first["X-Job-Id"])

    async def test_only_an_installations_own_drill_counts_as_a_test(self) -> None:
        keys = {make_drill_key(): "ui_test", "drill-1": "ingest", "drill-1:forged": "ingest"}
        for key, source in keys.items():
            answer = await self.post(headers={"Idempotency-Key": key})
            job = await Job.objects.aget(pk=answer["X-Job-Id"])
            self.assertEqual((job.source, job.status), (source, "done"), key)
        listed = await MediaObject.objects.filter(kind="result", is_listed=True).acount()
        self.assertEqual(listed, 2)

    async def test_a_key_is_of_one_slot_only(self) -> None:
        await Slot.objects.filter(pk="slot-002").aupdate(is_active=True, settings={"prompt": "x"})
        headers = {"Idempotency-Key": "order-7"}
        await self.post(headers=headers)
        response = await self.post(path="/ingest/slot-002", headers=headers)
        self.assertEqual(response.status_code, 200)


class FallbackTests(IngestTestCase):
    async def test_a_slot_may_answer_a_failure_with_the_booths_own_photo(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(
            on_failure="original", settings={"prompt": "x [sim:img-safety]"}
        )
        photo = jpeg()
        response = await self.post(photo)
        job = await Job.objects.aget()
        self.assertEqual((response.status_code, response.content), (200, photo))
        self.assertEqual(response["X-PhotoChanger-Fallback"], "original")
        self.assertEqual(response["X-Job-Id"], str(job.pk))
        self.assertEqual(response["Content-Type"], "image/jpeg")
        self.assertNotIn("X-Result-Url", response)
        self.assertEqual((job.status, job.failure_reason), ("failed", "content_blocked"))
        self.assertTrue(job.fell_back)
        self.assertEqual(self.files(), [])

    async def test_bad_input_is_an_error_all_the_same(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(on_failure="original")
        self.assertEqual((await self.post(password="wrong")).status_code, 401)
        self.assertEqual((await self.post(b"GIF89a")).status_code, 415)

    async def test_by_default_a_failure_is_an_error(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(settings={"prompt": "x [sim:img-safety]"})
        response = await self.post()
        job = await Job.objects.aget()
        self.assertEqual((response.status_code, job.fell_back), (502, False))
