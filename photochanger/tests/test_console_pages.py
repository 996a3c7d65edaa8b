"""Every page of the console: under the content policy, behind the door, with few queries."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.models import Attempt, Job
from media.models import MediaObject
from photochanger.testing.console_pages import MOST_QUERIES, PAGES
from photochanger.testing.marks import both_databases
from slots.events.models import EventSlot
from slots.models import SLOT_IDS, Event, Slot
from stats.tests.support import job, open_job

pytestmark = both_databases


class ConsolePagesTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg")
        Slot.objects.update(is_active=True, settings={"prompt": "As an oil painting"})

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def add_photos(self, count: int) -> Job:
        photos = [job(f"slot-{n % 15 + 1:03}", ago_s=n, reason="quota") for n in range(count)]
        Job.objects.bulk_create([*photos, *(open_job(ago_s=n) for n in range(5))])
        facts = {"provider": "gemini", "duration_ms": 5, "failure_reason": "quota"}
        for number, photo in enumerate(photos):
            Attempt.objects.create(job=photo, number=1, started_at=photo.started_at, **facts)
            MediaObject.objects.create(
                **{"slot_id": photo.slot_id, "job_id": photo.pk, "kind": "result"},
                **{"path": f"results/{number}", "mime": "image/jpeg", "size_bytes": 1},
            )
        return photos[0]

    def list_ids(self, photo: Job) -> dict[str, Any]:
        """What the addresses of pages name: a photo, an event that runs, one that is over."""
        now = timezone.now()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5), "started_at": now}
        event = Event.objects.create(name="Wedding", **times)
        over = Event.objects.create(name="Brand", closed_at=now, **times)
        slots = [EventSlot(event=event, slot_id=slot_id) for slot_id in SLOT_IDS]
        EventSlot.objects.bulk_create(slots)
        Slot.objects.update(event=event)
        Job.objects.filter(status="failed").update(event=over)
        return {"job": photo.pk, "event": event.pk, "over": over.pk}

    def test_a_page_asks_the_database_little_however_many_photos_there_are(self) -> None:
        ids = self.list_ids(self.add_photos(40))
        for name, path in PAGES.items():
            with self.subTest(page=name), CaptureQueriesContext(connection) as seen:
                answer = self.client.get(path.format(**ids))
                self.assertEqual(answer.status_code, 200)
                self.assertLessEqual(len(seen), MOST_QUERIES)

    def test_every_page_is_under_the_content_policy(self) -> None:
        ids = self.list_ids(self.add_photos(2))
        for name, path in PAGES.items():
            with self.subTest(page=name):
                answer = self.client.get(path.format(**ids))
                self.assertIn("script-src 'self'", answer["Content-Security-Policy"])
                body = answer.content.decode()
                self.assertNotRegex(body, r"<style|\sstyle=|\son[a-z]+=")
                self.assertNotRegex(body, r"<script(?![^>]* src=)[^>]*>")

    def test_a_guest_sees_none_of_them(self) -> None:
        self.client.logout()
        for name, path in PAGES.items():
            with self.subTest(page=name):
                answer = self.client.get(path.format(job=job().pk, event=1, over=1))
                self.assertEqual(answer.status_code, 302)
                self.assertIn("/admin/login/?next=", answer["Location"])


class LoginPageTests(TestCase):
    def test_a_locked_login_page_says_so(self) -> None:
        User.objects.create_superuser("serg", password="right-password")
        wrong = {"username": "serg", "password": "wrong"}
        for _ in range(10):
            answer = self.client.post("/admin/login/", wrong)
        self.assertEqual(answer.status_code, 200)
        answer = self.client.post("/admin/login/", wrong)
        self.assertContains(answer, "Слишком много неудачных", status_code=429)
        self.assertIn("Retry-After", answer)
