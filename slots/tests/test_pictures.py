"""The page of a slot's pictures: a ZIP of them, and their deletion."""

import io
import zipfile
from datetime import timedelta

from django.utils import timezone

from media import storage
from media.models import MediaObject
from photochanger.db import in_db
from slots.models import Slot
from slots.tests.support import ConsoleTestCase

PICTURES = "/admin/slots/slot/slot-001/pictures/"


class PicturesPageTests(ConsoleTestCase):
    async def test_it_offers_a_zip_of_a_time_range(self) -> None:
        old, new = await in_db(self.two_results)
        await self.async_client.aforce_login(self.serg)
        self.assertContains(await self.async_client.get(PICTURES), "results.zip")
        since = timezone.localtime() - timedelta(hours=1)
        answer = await self.async_client.get(
            "/admin/slots/slot/slot-001/results.zip", {"since": f"{since:%Y-%m-%dT%H:%M}"}
        )
        body = b"".join([piece async for piece in answer.streaming_content])
        self.assertEqual(len(body), int(answer["Content-Length"]))
        (name,) = zipfile.ZipFile(io.BytesIO(body)).namelist()
        self.assertIn(str(new.job_id)[:8], name)

    def two_results(self) -> tuple[MediaObject, MediaObject]:
        """One of five hours ago, one of now."""
        old, new = self.result(), self.result()
        MediaObject.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=5))
        return old, new

    def test_nothing_is_deleted_before_the_word_is_typed(self) -> None:
        mine, others = self.result(), self.result("slot-002")
        answer = self.client.post(PICTURES, {"confirm": "yes"}, follow=True)
        self.assertEqual([m.level_tag for m in answer.context["messages"]], ["error"])
        self.assertTrue(storage.read(mine.path))
        self.client.post(PICTURES, {"confirm": "slot-001"})
        mine.refresh_from_db()
        others.refresh_from_db()
        self.assertIsNotNone(mine.cleaned_at)
        self.assertIsNone(others.cleaned_at)

    def test_all_slots_can_be_emptied(self) -> None:
        found = [self.result(slot.pk) for slot in Slot.objects.all()[:3]]
        self.client.post("/admin/slots/slot/pictures/", {"confirm": "everything"})
        live = MediaObject.objects.filter(pk__in=[m.pk for m in found], cleaned_at__isnull=True)
        self.assertFalse(live.exists())

    def test_a_slot_links_to_it_and_an_unknown_one_has_none(self) -> None:
        self.assertContains(self.client.get("/admin/slots/slot/slot-001/change/"), PICTURES)
        self.assertEqual(self.client.get("/admin/slots/slot/slot-099/pictures/").status_code, 404)
