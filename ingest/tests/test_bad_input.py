"""Requests that are wrong: the exact status and body, and that nothing is left behind."""

import struct
import zlib
from datetime import timedelta

from django.utils import timezone

from ingest.models import Job
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from media.models import MediaObject
from photochanger.db import in_db
from slots.models import Setting, Slot
from slots.secrets import hash_password


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises many pixels in a few bytes."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))


class BadInputTests(IngestTestCase):
    async def assert_refused(
        self, status: int, reason: str, **request: object
    ) -> dict[str, object]:
        response = await self.post(**request)
        body: dict[str, object] = response.json()
        self.assertEqual((response.status_code, body["failure_reason"]), (status, reason))
        self.assertEqual(body["status"], "error")
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertEqual(set(body) - {"retry_after"}, {"status", "failure_reason", "details"})
        self.assertNotIn("X-Result-Url", response)
        self.assertEqual((await Job.objects.acount(), await MediaObject.objects.acount()), (0, 0))
        self.assertEqual((self.files(), self.provider.calls), ([], []))
        return body

    async def test_no_photo(self) -> None:
        await self.assert_refused(400, "invalid_request", photo=b"")

    async def test_no_password(self) -> None:
        await self.assert_refused(400, "invalid_request", password=None)

    async def test_a_photo_under_an_unknown_name(self) -> None:
        await self.assert_refused(400, "invalid_request", field="picture")

    async def test_a_form_without_an_end(self) -> None:
        await self.assert_body_refused(b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\nhalf")

    async def test_a_form_that_is_none(self) -> None:
        await self.assert_body_refused(b'{"password": "x"}', content_type="application/json")
        await self.assert_body_refused(b"", content_type="multipart/form-data")
        await self.assert_body_refused(b"", content_type="multipart/form-data; boundary=b")

    async def assert_body_refused(self, body: bytes, content_type: str = "") -> None:
        response = await self.async_client.post(
            "/ingest/slot-001", body, content_type=content_type or "multipart/form-data; boundary=b"
        )
        self.assertEqual(response.status_code, 400)
        self.assertEqual(response.json()["failure_reason"], "invalid_request")

    async def test_too_many_fields_and_a_password_without_end(self) -> None:
        await self.assert_refused(400, "invalid_request", **{f"f{n}": "x" for n in range(1001)})
        await self.assert_refused(400, "invalid_request", password="9" * 10_000)

    async def test_an_idempotency_key_that_is_too_long(self) -> None:
        headers = {"Idempotency-Key": "k" * 300}
        await self.assert_refused(400, "invalid_request", headers=headers)

    async def test_a_picture_that_is_cut_in_its_header(self) -> None:
        await self.assert_refused(400, "invalid_image", photo=b"\xff\xd8\xff\xe0 no more")

    async def test_a_decompression_bomb(self) -> None:
        await self.assert_refused(400, "invalid_image", photo=png_header(60_000, 60_000))

    async def test_wrong_password(self) -> None:
        body = await self.assert_refused(401, "invalid_password", password="123456")
        self.assertEqual(
            body["details"], "Неверный пароль. Проверьте пароль в настройках фотобудки."
        )

    async def test_the_sentence_is_in_the_callers_language(self) -> None:
        headers = {"Accept-Language": "en-GB,en;q=0.8"}
        body = await self.assert_refused(401, "invalid_password", password="1", headers=headers)
        self.assertEqual(
            body["details"], "Wrong password. Check the password in the booth's settings."
        )

    async def test_no_password_set_means_closed(self) -> None:
        await Setting.objects.filter(pk="ingest_password_hash").adelete()
        await self.assert_refused(401, "invalid_password")
        await self.assert_refused(401, "invalid_password", password="")

    async def test_guessing_is_stopped(self) -> None:
        for n in range(10):
            await self.assert_refused(401, "invalid_password", password=f"guess {n}")
        body = await self.assert_refused(429, "rate_limited", password="guess 11")
        self.assertEqual(body["retry_after"], 60)

    async def test_a_booth_is_not_stopped_by_somebody_guessing_from_its_address(self) -> None:
        for n in range(11):
            await self.post(password=f"guess {n}")
        self.assertEqual((await self.post()).status_code, 200)

    async def test_an_unknown_slot(self) -> None:
        await self.assert_refused(404, "slot_not_found", path="/ingest/slot-099")
        await self.assert_refused(404, "slot_not_found", path="/api/ingest/'; drop table slot")

    async def test_a_slot_that_is_switched_off(self) -> None:
        await self.assert_refused(404, "slot_disabled", path="/ingest/slot-002")

    async def test_a_photo_above_the_slots_limit(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(size_limit_mb=1)
        await self.assert_refused(413, "payload_too_large", photo=jpeg() + bytes(1024 * 1024))

    async def test_a_photo_of_another_type_is_refused_whatever_its_declared_type(self) -> None:
        for content in (b"GIF89a" + bytes(100), b"%PDF-1.7", b"<svg/>", b"MZ", b"RIFF....AVI "):
            with self.subTest(content=content[:8]):
                await self.assert_refused(415, "unsupported_media_type", photo=content)

    async def test_a_wrong_password_is_refused_before_a_wrong_picture(self) -> None:
        await self.assert_refused(401, "invalid_password", password="1", photo=b"GIF89a")

    async def test_a_slots_own_password_replaces_the_global_one(self) -> None:
        hashed = await in_db(hash_password, "own")
        await Slot.objects.filter(pk="slot-001").aupdate(ingest_password_hash=hashed)
        await self.assert_refused(401, "invalid_password", password=PASSWORD)
        self.assertEqual((await self.post(password="own")).status_code, 200)

    async def test_other_methods_are_not_allowed(self) -> None:
        self.assertEqual((await self.async_client.get("/ingest/slot-001")).status_code, 405)


class FullHouseTests(IngestTestCase):
    def add_open_jobs(self, count: int, *, slot_id: str = "slot-001", **fields: object) -> None:
        now = timezone.now()
        Job.objects.bulk_create(
            Job(
                slot_id=slot_id,
                slot_version=1,
                source="ingest",
                provider="gemini",
                operation="image_edit",
                started_at=now - timedelta(minutes=2),
                photo_sha256="0",
                photo_bytes=1,
                **{"deadline": now + timedelta(seconds=30), **fields},
            )
            for _ in range(count)
        )

    async def test_a_full_slot_says_when_to_come_back(self) -> None:
        await in_db(self.add_open_jobs, 4)
        response = await self.post()
        self.assertEqual((response.status_code, response["Retry-After"]), (429, "3"))
        self.assertEqual(response.json()["failure_reason"], "rate_limited")
        self.assertEqual((await Job.objects.acount(), self.files()), (4, []))

    async def test_a_full_provider_refuses_an_empty_slot_too(self) -> None:
        await in_db(self.add_open_jobs, 30, slot_id="slot-003")
        self.assertEqual((await self.post()).status_code, 429)

    async def test_jobs_whose_process_died_take_no_place(self) -> None:
        await in_db(self.add_open_jobs, 40, deadline=timezone.now())
        self.assertEqual((await self.post()).status_code, 200)
