"""The log of jobs and a photo's page by HTTP."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from ingest.console.job_filter import PER_PAGE
from ingest.models import Attempt, Job
from media import storage
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from stats.tests.support import StatsTestCase, job, open_job

pytestmark = both_databases

LOG = "/admin/ingest/job/"


class JobPagesTestCase(StatsTestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))

    def list_shown(self, query: str = "") -> list[uuid.UUID]:
        return [row.job.pk for row in self.client.get(f"{LOG}?{query}").context["rows"]]

    def open_job_page(self, photo: Job, **headers: str) -> Any:
        return self.client.get(f"{LOG}{photo.pk}/change/", headers=headers)


class LogTests(JobPagesTestCase):
    def test_each_filter_finds_what_it_says(self) -> None:
        done, late = job(ago_s=10), job(reason="timeout", ago_s=20)
        broke = job("slot-002", reason="quota", provider="turbotext", ago_s=30)
        old = job(reason="storage_error", ago_s=3 * 86400)
        self.store(done, late, broke, old)
        day = timezone.localtime(old.started_at).date().isoformat()
        for query, expected in {
            "": [done, late, broke, old],
            "slot=slot-002": [broke],
            "outcome=done": [done],
            "outcome=timeout": [late],
            "outcome=failed": [broke, old],
            "reason=quota": [broke],
            "provider=turbotext": [broke],
            f"day={day}": [old],
            "outcome=failed&reason=storage_error&slot=slot-001": [old],
            "outcome=done&reason=quota": [],
            "slot=slot-099&outcome=x&day=yesterday&after=x": [done, late, broke, old],
        }.items():
            with self.subTest(query=query):
                self.assertEqual(self.list_shown(query), [photo.pk for photo in expected])

    def test_pages_hold_every_photo_once_also_of_one_moment(self) -> None:
        at = timezone.now() - timedelta(hours=1)
        same = [job(started_at=at) for _ in range(PER_PAGE + 5)]
        self.store(*same, *(job(ago_s=7200 + n) for n in range(PER_PAGE)))
        seen, query = list[uuid.UUID](), ""
        while True:
            context = self.client.get(f"{LOG}?{query}").context
            seen += [row.job.pk for row in context["rows"]]
            query = context.get("older", "")
            if not query:
                break
        self.assertEqual((len(seen), len(set(seen))), (2 * PER_PAGE + 5, 2 * PER_PAGE + 5))

    def test_a_rare_photo_is_searched_a_month_at_a_time(self) -> None:
        rare = job(reason="quota", ago_s=40 * 86400)
        self.store(rare, job())
        context = self.client.get(f"{LOG}?reason=quota").context
        self.assertEqual((context["rows"], bool(context["back_to"])), ([], True))
        self.assertEqual(self.list_shown(context["older"]), [rare.pk])
        self.assertNotIn("older", self.client.get(f"{LOG}?{context['older']}").context)

    def test_photos_in_work_stand_on_top_and_dead_ones_among_the_failed(self) -> None:
        working, dead = open_job(), open_job(ago_s=200)
        self.store(working, dead, job())
        context = self.client.get(LOG).context
        self.assertEqual([row.job for row in context["working"]], [working])
        self.assertNotIn(working.pk, self.list_shown())
        for query in ("outcome=failed", "reason=interrupted"):
            self.assertEqual(self.list_shown(query), [dead.pk])
        self.assertContains(self.client.get(f"{LOG}?outcome=failed"), "Сервер остановился")

    def test_a_photo_is_found_by_its_number_the_start_of_it_or_a_link(self) -> None:
        photo, other = job(job_id=uuid.UUID(int=2**127)), job(job_id=uuid.UUID(int=5))
        self.store(photo, other)
        link = f"http://testserver/public/results/{photo.pk}/page"
        for asked in (str(photo.pk), photo.pk.hex.upper(), "80000", "8000-", link):
            answer = self.client.get(LOG, {"q": asked})
            self.assertRedirects(answer, f"{LOG}{photo.pk}/change/")
        for asked in ("abc", "hello", "80000z", "'; --", str(uuid.uuid4()), "ffff"):
            answer = self.client.get(LOG, {"q": asked})
            self.assertEqual((answer.status_code, answer.context["rows"]), (200, []))

    def test_a_part_of_the_page_is_answered_to_the_page_itself(self) -> None:
        self.store(job())
        answer = self.client.get(LOG, headers={"HX-Request": "true"})
        self.assertNotContains(answer, "<html")
        self.assertContains(answer, 'id="log"')


class JobTests(JobPagesTestCase):
    def add_picture(self) -> Job:
        photo = job(result_path="results/a/payload.jpg")
        self.store(photo)
        MediaObject.objects.create(
            **{"slot_id": "slot-001", "job_id": photo.pk, "kind": "result", "size_bytes": 9},
            **{"path": photo.result_path, "mime": "image/jpeg"},
            expires_at=timezone.now() + timedelta(hours=1),
        )
        return photo

    def test_what_a_provider_said_is_shown_and_does_nothing(self) -> None:
        photo = job(reason="bad_response", failure_detail="</q><b>ours")
        self.store(photo)
        facts = {"provider": "gemini", "model": "m", "duration_ms": 5, "http_status": 200}
        Attempt.objects.create(
            **{"job": photo, "number": 1, "started_at": photo.started_at},
            **{"detail": "<script>alert(1)</script>", "failure_reason": "bad_response"},
            **facts,
            usage={"tokens": "<img src=x>"},
        )
        page = self.open_job_page(photo)
        self.assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt;")
        for hostile in ("<script>alert", "</q><b>", "<img src=x"):
            self.assertNotContains(page, hostile)
        self.assertContains(page, "AI-сервис ответил без пригодной картинки", count=2)

    def test_a_picture_is_linked_until_it_expires(self) -> None:
        photo = self.add_picture()
        self.assertContains(self.open_job_page(photo), f"/public/results/{photo.pk}/preview")
        MediaObject.objects.update(expires_at=timezone.now())
        self.assertNotContains(self.open_job_page(photo), "/preview")
        self.assertContains(self.open_job_page(photo), "Картинка больше не хранится")

    def test_a_picture_is_deleted_once_it_was_asked(self) -> None:
        photo = self.add_picture()
        path = f"{LOG}{photo.pk}/delete-picture/"
        self.assertEqual(self.client.get(path).status_code, 405)
        self.assertContains(self.client.post(path), "Удалить эту картинку?")
        self.assertContains(self.open_job_page(photo), "/preview")
        answer = self.client.post(path, {"confirmed": "1"}, follow=True)
        self.assertContains(answer, "Картинка удалена")
        self.assertContains(answer, "Картинка больше не хранится")
        again = self.client.post(path, {"confirmed": "1"}, follow=True)
        self.assertContains(again, '<li class="error">')

    def test_what_a_guest_deleted_is_brought_back_within_the_hour(self) -> None:
        photo = self.add_picture()
        storage.write(photo.result_path, b"picture")
        link = f"/public/results/{photo.pk}"
        self.assertEqual(self.client.delete(link).status_code, 204)
        self.assertContains(self.open_job_page(photo), "Вернуть")
        undo = f"{LOG}{photo.pk}/undo-deletion/"
        self.client.force_login(User.objects.create_user("eve", is_staff=True))
        self.assertEqual(self.client.post(undo).status_code, 403)
        self.client.force_login(User.objects.get(username="serg"))
        self.assertEqual(self.client.get(undo).status_code, 405)
        answer = self.client.post(undo, follow=True)
        self.assertContains(answer, "ссылка снова работает")
        self.assertEqual(self.client.get(link).status_code, 200)
        again = self.client.post(undo, follow=True)
        self.assertContains(again, '<li class="error">')

    def test_only_who_may_change_a_slot_deletes_a_picture(self) -> None:
        photo = self.add_picture()
        self.client.force_login(User.objects.create_user("eve", is_staff=True))
        answer = self.client.post(f"{LOG}{photo.pk}/delete-picture/", {"confirmed": "1"})
        self.assertEqual(answer.status_code, 403)

    def test_a_page_that_follows_a_photo_stops_when_it_is_over(self) -> None:
        working, done = open_job(), job()
        self.store(working, done)
        part = {"HX-Request": "true"}
        self.assertEqual(self.open_job_page(working, **part).status_code, 200)
        self.assertEqual(self.open_job_page(done, **part).status_code, 286)
        self.assertContains(self.open_job_page(working), 'hx-trigger="every 2s"')
        self.assertNotContains(self.open_job_page(done), 'hx-trigger="every 2s"')

    def test_an_unknown_photo_is_not_found(self) -> None:
        for job_id in (uuid.uuid4(), "x", "slot-001"):
            self.assertEqual(self.client.get(f"{LOG}{job_id}/change/").status_code, 404)

    def test_the_admin_cannot_add_change_or_delete_a_job(self) -> None:
        photo = job()
        self.store(photo)
        self.assertEqual(self.client.get(f"{LOG}add/").status_code, 403)
        self.assertEqual(self.client.get(f"{LOG}{photo.pk}/delete/").status_code, 403)
        self.assertEqual(self.client.post(f"{LOG}{photo.pk}/change/").status_code, 405)
