"""Capture: the requested number of requests is recorded, without any value."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ingest.capture.recorder import delete_captures, start_capture, stop_capture
from ingest.models import Capture, CapturedRequest, Job
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from slots.models import Setting, Slot
from slots.platform_settings import load_platform_settings
from slots.services import open_slot

pytestmark = both_databases


class CaptureTests(IngestTestCase):
    async def get_snapshot(self) -> dict[str, Any]:
        request = await CapturedRequest.objects.order_by("-pk").afirst()
        assert request
        self.assertNotIn(PASSWORD, json.dumps(request.seen))
        return dict(request.seen)

    def find_part(self, snapshot: dict[str, Any], name: str) -> dict[str, Any]:
        return next(part for part in snapshot["parts"] if part["name"] == name)

    async def test_a_good_photo_is_recorded_without_any_value(self) -> None:
        await in_db(start_capture, self.slot, 2, by="serg")
        photo = jpeg()
        answer = await self.post(
            photo,
            headers={"User-Agent": "Strange/1.0", "Authorization": "Basic c2VjcmV0"},
            hash=hashlib.md5(photo).hexdigest(),
            name="DESKTOP-IVAN",
            copy=PASSWORD,
        )
        snapshot = await self.get_snapshot()
        self.assertEqual((answer.status_code, snapshot["status"]), (200, 200))
        self.assertEqual((snapshot["method"], snapshot["path"]), ("POST", "/ingest/slot-001"))
        self.assertEqual(snapshot["hash_recipe"], "md5")
        self.assertEqual(self.find_part(snapshot, "hash")["looks"], "hex")
        self.assertNotIn("size_bytes", self.find_part(snapshot, "password"))
        self.assertNotIn("size_bytes", self.find_part(snapshot, "copy"))
        file = self.find_part(snapshot, "fileToUpload")
        self.assertEqual((file["size_bytes"], file["is_photo"]), (len(photo), True))
        self.assertEqual((file["mime"], file["extension"]), ("image/jpeg", ".JPG"))
        headers = {header["name"]: header for header in snapshot["headers"]}
        self.assertEqual(headers["user-agent"]["value"], "Strange/1.0")
        self.assertEqual(headers["authorization"], {"name": "authorization", "length": 14})
        steps, times = zip(*snapshot["marks_ms"], strict=True)
        self.assertEqual(steps, ("form", "password", "photo", "answer"))
        self.assertEqual(sorted(times), list(times))
        for word in ("DESKTOP-IVAN", "c2VjcmV0", "IMG_0003"):
            self.assertNotIn(word, json.dumps(snapshot))
        request = await CapturedRequest.objects.aget()
        self.assertEqual(request.job_id, (await Job.objects.aget()).pk)

    async def test_a_refused_request_is_recorded_with_its_reason(self) -> None:
        await in_db(start_capture, self.slot, 10, by="serg")
        await self.post(password="wrong-guess")
        snapshot = await self.get_snapshot()
        self.assertEqual((snapshot["status"], snapshot["reason"]), (401, "invalid_password"))
        self.assertNotIn("wrong-guess", json.dumps(snapshot))
        await self.post(password=None, passwort="not-it")
        snapshot = await self.get_snapshot()
        self.assertEqual((snapshot["status"], snapshot["detail"]), (400, "no password"))
        self.assertTrue(self.find_part(snapshot, "passwort"))
        await self.post(field="picture")
        snapshot = await self.get_snapshot()
        self.assertEqual(snapshot["detail"], "no photo")
        self.assertNotIn("is_photo", self.find_part(snapshot, "picture"))
        await Slot.objects.filter(pk="slot-001").aupdate(size_limit_mb=1)
        await self.post(jpeg() + bytes(1_200_000))
        snapshot = await self.get_snapshot()
        self.assertEqual((snapshot["status"], snapshot["reason"]), (413, "payload_too_large"))
        self.assertFalse(self.find_part(snapshot, "fileToUpload")["is_whole"])
        await in_db(self.scenario, "503")
        await self.post()
        self.assertEqual((await self.get_snapshot())["reason"], "provider_5xx")

    async def test_broken_forms_are_recorded_as_far_as_they_go(self) -> None:
        await in_db(start_capture, self.slot, 10, by="serg")
        head = '--b\r\nContent-Disposition: form-data; name="'
        names = {"password": PASSWORD, PASSWORD: "ab", "id": "7"}
        cut = "\r\n".join(f'{head}{name}"\r\n\r\n{value}' for name, value in names.items())
        kind = "multipart/form-data; boundary=b"
        await self.async_client.post("/ingest/slot-001", cut.encode(), content_type=kind)
        snapshot = await self.get_snapshot()
        self.assertEqual([part["name"] for part in snapshot["parts"]], ["password", "‹16›", "id"])
        self.assertFalse(snapshot["parts"][-1]["is_whole"])
        self.assertIn("cut off", snapshot["detail"])
        await self.async_client.post("/ingest/slot-001", b"{}", content_type="application/json")
        snapshot = await self.get_snapshot()
        self.assertEqual((snapshot["status"], snapshot.get("parts", [])), (400, []))
        self.assertIn({"name": "content-type", "value": "application/json"}, snapshot["headers"])

    async def test_capture_ends_with_the_last_request_asked_for(self) -> None:
        await in_db(start_capture, self.slot, 2, by="serg")
        for _ in range(3):
            await self.post(password="wrong-guess")
        self.assertEqual(await CapturedRequest.objects.acount(), 2)
        self.assertIsNone((await in_db(load_platform_settings)).capture)

    async def test_capture_is_for_one_slot_and_ends_by_itself(self) -> None:
        other = await Slot.objects.aget(pk="slot-002")
        await in_db(start_capture, other, 5, by="serg")
        await self.post(password="wrong-guess")
        capture = await in_db(start_capture, self.slot, 5, by="serg")
        self.assertEqual(await Capture.objects.filter(left__gt=0).acount(), 1)
        an_hour_ago = timezone.now() - timedelta(seconds=1)
        order = {"id": capture.pk, "slot_id": "slot-001", "until": an_hour_ago.isoformat()}
        await Setting.objects.filter(key="capture").aupdate(value=order)
        await self.post(password="wrong-guess")
        self.assertEqual(await CapturedRequest.objects.acount(), 0)

    async def test_all_slots_can_be_watched_at_once(self) -> None:
        await in_db(start_capture, None, 3, by="serg")
        await Slot.objects.filter(pk="slot-002").aupdate(
            is_active=True, settings=self.slot.settings, provider=self.slot.provider
        )
        for slot_id in ("slot-001", "slot-002"):
            await self.post(path=f"/ingest/{slot_id}", password="wrong-guess")
        seen = [request.seen["path"] async for request in CapturedRequest.objects.order_by("pk")]
        self.assertEqual(seen, ["/ingest/slot-001", "/ingest/slot-002"])
        await in_db(start_capture, None, 3, by="serg")  # a new one deletes what was seen before
        self.assertEqual(await CapturedRequest.objects.acount(), 0)

    async def test_a_stopped_capture_records_nothing_and_its_records_expire(self) -> None:
        capture = await in_db(start_capture, self.slot, 5, by="serg")
        await self.post(password="wrong-guess")
        await in_db(stop_capture, by="serg")
        await self.post(password="wrong-guess")
        self.assertEqual(await CapturedRequest.objects.acount(), 1)
        self.assertEqual(await in_db(delete_captures), 0)
        await Capture.objects.filter(pk=capture.pk).aupdate(
            started_at=timezone.now() - timedelta(hours=25)
        )
        self.assertEqual(await in_db(delete_captures), 1)
        self.assertEqual(await CapturedRequest.objects.acount(), 0)

    def test_capture_costs_no_query_before_the_end_on_or_off(self) -> None:
        for wanted in (0, 5):
            if wanted:
                start_capture(self.slot, wanted, by="serg")
            with self.assertNumQueries(2):
                open_slot("slot-001")
