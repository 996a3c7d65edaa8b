"""A photo belongs to the event that its slot works for when it is let in."""

from datetime import timedelta

from django.utils import timezone

from ingest.models import Job
from ingest.tests.support import IngestTestCase, jpeg
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from slots.models import Event, Slot

pytestmark = both_databases


def make_event(name: str = "Wedding") -> Event:
    now = timezone.now()
    return Event.objects.create(
        name=name, starts_at=now, ends_at=now + timedelta(hours=6), started_at=now
    )


class EventOfPhotosTests(IngestTestCase):
    async def test_a_photo_and_its_result_carry_the_event_of_their_slot(self) -> None:
        event = await in_db(make_event)
        await Slot.objects.filter(pk="slot-001").aupdate(event=event)
        response = await self.post()
        self.assertEqual(response.status_code, 200)
        job, result = await Job.objects.aget(), await MediaObject.objects.aget(kind="result")
        self.assertEqual((job.event_id, result.event_id), (event.pk, event.pk))

    async def test_without_an_event_a_photo_has_none(self) -> None:
        await self.post()
        job, result = await Job.objects.aget(), await MediaObject.objects.aget(kind="result")
        self.assertEqual((job.event_id, result.event_id), (None, None))

    async def test_a_photo_stays_with_its_event_when_the_slot_goes_on_to_the_next(self) -> None:
        first, second = await in_db(make_event, "First"), await in_db(make_event, "Second")
        for event in (first, second):
            await Slot.objects.filter(pk="slot-001").aupdate(event=event)
            await self.post(jpeg())
        jobs = Job.objects.order_by("started_at").values_list("event_id", flat=True)
        self.assertEqual([pk async for pk in jobs], [first.pk, second.pk])
