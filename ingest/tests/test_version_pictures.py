"""The history of a slot shows what each of its versions has made."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.models import Job, TrialRecord
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.models import Slot
from slots.services import save_slot
from stats.tests.support import StatsTestCase, job

pytestmark = both_databases

HISTORY = "/admin/slots/slot/slot-001/history/"


class VersionPictureTests(StatsTestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))

    def save_version(self, prompt: str) -> Slot:
        slot = Slot.objects.get(pk="slot-001")
        slot.settings = {"prompt": prompt}
        return save_slot(slot, by="serg")

    def make(self, version: int, *, is_over: bool = False, **columns: Any) -> Job:
        photo = job(slot_version=version, **columns)
        self.store(photo)
        hours = -1 if is_over else 1
        MediaObject.objects.create(
            job_id=photo.pk,
            slot_id="slot-001",
            kind=MediaObject.Kind.RESULT,
            path=f"results/slot-001/{photo.pk}/payload.jpg",
            mime="image/jpeg",
            size_bytes=1,
            sha256="x",
            is_listed=photo.source == Job.Source.INGEST,
            expires_at=timezone.now() + timedelta(hours=hours),
        )
        return photo

    def keep_test(self, prompt: str) -> Job:
        photo = self.make(1, source=Job.Source.UI_TEST)
        TrialRecord.objects.create(
            job=photo,
            slot_id="slot-001",
            provider="gemini",
            operation="image_edit",
            settings={"prompt": prompt},
            made_at=timezone.now(),
            expires_at=timezone.now() + timedelta(hours=1),
        )
        return photo

    def list_pictures(self) -> dict[int, Any]:
        rows = self.client.get(HISTORY).context["rows"]
        return {row.record.version: row.picture for row in rows}

    def test_each_version_has_the_last_of_its_results_while_that_can_be_looked_at(self) -> None:
        first, second = self.save_version("A nebula").version, self.save_version("Rain").version
        self.make(first, ago_s=90)
        newest = self.make(first, ago_s=10)
        self.make(first, ago_s=5, is_over=True)
        self.make(first, ago_s=4, reserve=1)
        self.assertEqual(self.list_pictures(), {first: newest.pk, second: None})
        page = self.client.get(HISTORY)
        self.assertContains(page, f'src="/public/results/{newest.pk}/preview"')
        self.assertContains(page, f"Что сделала версия {first}")

    def test_a_test_stands_for_the_version_that_was_saved_from_it(self) -> None:
        tried = self.keep_test("A nebula")
        version = self.save_version("A nebula").version
        other = self.save_version("Rain").version
        self.assertEqual(self.list_pictures(), {version: tried.pk, other: None})
        result = self.make(version)
        self.assertEqual(self.list_pictures()[version], result.pk)  # what guests got tells more

    def test_a_long_history_asks_few_queries(self) -> None:
        for number in range(25):
            self.make(self.save_version(f"Prompt {number}").version)
        with CaptureQueriesContext(connection) as asked:
            page = self.client.get(HISTORY)
        self.assertLessEqual(len(asked), 15)
        self.assertContains(page, "/preview", 20)
