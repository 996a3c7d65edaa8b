"""What is forgotten of people, and when."""

from django.test import TestCase

from ingest.forgetting import forget_people
from ingest.models import Job
from photochanger.testing.marks import both_databases
from stats.tests.support import job

pytestmark = both_databases
DAY_S = 86400


class ForgettingTests(TestCase):
    def add(self, days_ago: float) -> Job:
        photo = job(ago_s=days_ago * DAY_S, booth_name="DESKTOP-1", idempotency_key="key")
        photo.photo_sha256, photo.replay_key, photo.booth_id = "a" * 64, str(photo.pk), "7"
        photo.save(force_insert=True)
        return photo

    def read(self, photo: Job) -> tuple[str | None, ...]:
        found = Job.objects.get(pk=photo.pk)
        return (
            *(found.photo_sha256, found.idempotency_key, found.replay_key),
            *(found.booth_id, found.booth_name),
        )

    def test_hashes_keys_and_booths_are_forgotten_after_thirty_days(self) -> None:
        old, new = self.add(31), self.add(29)
        before = self.read(new)
        self.assertEqual(forget_people(), 1)
        self.assertEqual(self.read(old), ("", "", None, "", ""))
        self.assertEqual(self.read(new), before)
        history = Job.objects.get(pk=old.pk)
        self.assertEqual((history.status, history.started_at), (old.status, old.started_at))

    def test_a_later_run_forgets_what_has_grown_old_meanwhile(self) -> None:
        self.assertEqual(forget_people(), 0)
        self.add(31)
        self.assertEqual(forget_people(), 1)
        self.assertEqual(forget_people(), 0)
