"""The log of jobs and a photo's page by HTTP."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.html import escape

from ingest.console.job_filter import PER_PAGE
from ingest.models import Attempt, Job
from ingest.refusals.causes import FAILURES
from media import storage
from media.models import MediaObject
from photochanger.testing.marks import both_databases
from slots.models import Slot
from slots.tests.test_events import make_event
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


class ReserveTests(JobPagesTestCase):
    def test_list_and_page_tell_which_reserve_was_asked(self) -> None:
        photo, other = job(reserve=2, provider="turbotext"), job()
        self.store(photo, other)
        for number, reserve in ((1, 0), (2, 2)):
            Attempt.objects.create(
                job=photo,
                number=number,
                provider="turbotext",
                reserve=reserve,
                started_at=photo.started_at,
                duration_ms=100,
            )
        english = {"Accept-Language": "en"}
        listed = self.client.get(LOG, headers=english).content.decode()
        self.assertEqual(listed.count("Reserve 2"), 1)
        page = self.open_job_page(photo, **english).content.decode()
        self.assertEqual(page.count("Reserve 2"), 1)
        self.assertNotIn("Reserve 0", page)


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

    def test_failures_of_every_kind_are_one_chip_away(self) -> None:
        done, late, broke, dead = (
            job(),
            job(reason="timeout"),
            job(reason="quota"),
            open_job(ago_s=99),
        )
        self.store(done, late, broke, dead)
        chip = self.client.get(LOG).context["chips"][0]
        self.assertEqual((chip.query, chip.is_on), ("outcome=lost", False))
        self.assertEqual(set(self.list_shown(chip.query)), {late.pk, broke.pk, dead.pk})
        chip = self.client.get(f"{LOG}?outcome=lost&slot=slot-001").context["chips"][0]
        self.assertEqual((chip.query, chip.is_on), ("slot=slot-001", True))

    def test_the_last_hour_and_an_hour_of_a_day_are_found(self) -> None:
        now = timezone.now()
        fresh, old = job(ago_s=600), job(started_at=now - timedelta(days=3))
        self.store(fresh, old)
        self.assertEqual(self.list_shown("last=hour"), [fresh.pk])
        at = timezone.localtime(old.started_at)
        there = f"day={at.date().isoformat()}&hour={at.hour}"
        self.assertEqual(self.list_shown(there), [old.pk])
        elsewhere = f"day={at.date().isoformat()}&hour={(at.hour + 1) % 24}"
        self.assertEqual(self.list_shown(elsewhere), [])
        for wrong in ("hour=24", "hour=x", "last=day"):
            self.assertEqual(len(self.list_shown(wrong)), 2)

    def test_only_reasons_that_occurred_are_offered_with_their_counts(self) -> None:
        self.store(*(job(reason="quota") for _ in range(3)), job(reason="network"), job())
        self.store(open_job(ago_s=99), job(reason="storage_error", ago_s=8 * 86400))
        offered = self.client.get(LOG).context["form"].fields["reason"].widget.choices
        self.assertEqual(
            [word for word, _words in offered], ["", "quota", "network", "interrupted"]
        )
        self.assertEqual(
            offered[1][1], "Квота AI-сервиса исчерпана. Повторите позже или смените тариф. (3)"
        )
        page = self.client.get(f"{LOG}?reason=timeout").context["form"]
        self.assertIn("timeout", dict(page.fields["reason"].widget.choices))

    def test_small_pictures_are_those_that_are_still_kept(self) -> None:
        kept, gone, broke = (job(result_path=f"results/{n}") for n in range(3))
        self.store(kept, gone, broke)
        for photo, over in ((kept, False), (gone, True)):
            MediaObject.objects.create(
                **{"slot_id": "slot-001", "job_id": photo.pk, "kind": "result", "size_bytes": 9},
                **{"path": photo.result_path, "mime": "image/jpeg"},
                expires_at=timezone.now() + timedelta(hours=-1 if over else 1),
            )
        page = self.client.get(LOG)
        self.assertContains(page, f'src="/public/results/{kept.pk}/preview"')
        for photo in (gone, broke):
            self.assertNotContains(page, f"{photo.pk}/preview")

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
        self.assertEqual(self.client.get(undo).status_code, 405)
        answer = self.client.post(undo, follow=True)
        self.assertContains(answer, "ссылка снова работает")
        self.assertEqual(self.client.get(link).status_code, 200)
        again = self.client.post(undo, follow=True)
        self.assertContains(again, '<li class="error">')

    def test_a_photo_names_its_event_and_leads_there(self) -> None:
        event = make_event(name="Wedding of May")
        photo, other = job(event=event), job()
        self.store(photo, other)
        page = self.open_job_page(photo)
        self.assertContains(page, f'href="/admin/events/{event.pk}/"')
        self.assertContains(page, "Wedding of May")
        self.assertNotContains(self.open_job_page(other), "job-event")

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


class RemedyTests(JobPagesTestCase):
    def open_failed(self, reason: str, **columns: Any) -> Any:
        photo = job(reason=reason, **columns)
        self.store(photo)
        return self.open_job_page(photo)

    def test_every_failure_has_buttons_that_lead_to_what_they_say(self) -> None:
        for reason in (*FAILURES, "invalid_image", "word_of_another_version"):
            page = self.open_failed(reason)
            remedies = page.context["detail"].remedies
            self.assertTrue(remedies, reason)
            for remedy in remedies:
                with self.subTest(reason=reason, words=remedy.words):
                    self.assertContains(page, escape(remedy.words))
                    path, _hash, place = remedy.url.partition("#")
                    target = self.client.get(path)
                    self.assertEqual(target.status_code, 200)
                    if place:
                        self.assertContains(target, f'id="{place}"')

    def test_a_picture_without_a_use_leads_to_the_prompt_and_to_other_services(self) -> None:
        page = self.open_failed("bad_response", took_ms=6000)
        for words in ("Изменить промпт", "Задать вторую модель", "Переключить слот на Turbotext"):
            self.assertContains(page, words)
        self.assertContains(page, "Осталось 42 с из 48 с")
        recipe = {"prompt": "As an oil painting", "fallback_model": "gemini-3-pro-image"}
        Slot.objects.filter(pk="slot-001").update(settings=recipe)
        self.assertContains(self.open_failed("bad_response"), "Сменить вторую модель")

    def test_a_photo_that_is_done_or_in_work_needs_nothing(self) -> None:
        for photo in (job(), open_job()):
            self.store(photo)
            self.assertNotContains(self.open_job_page(photo), "remedies-title")

    def test_our_words_are_translated_and_those_of_the_service_quoted(self) -> None:
        late = "the deadline passed while the provider worked"
        page = self.open_failed("timeout", failure_detail=late)
        self.assertContains(page, "Время ожидания вышло, пока AI-сервис работал.")
        self.assertNotContains(page, "deadline passed")
        page = self.open_failed("provider_5xx", failure_detail="HTTP 503: overloaded")
        self.assertContains(page, '<q class="said">overloaded</q>')

    def test_what_a_call_used_is_told_in_words(self) -> None:
        photo = job()
        self.store(photo)
        for number, (provider, usage) in enumerate(
            [
                (
                    "gemini",
                    {
                        **{"promptTokenCount": 1290, "promptTokensDetails.TEXT": 25},
                        **{"promptTokensDetails.IMAGE": 1265, "candidatesTokenCount": 1120},
                        **{"serviceTier": "standard", "newCount": 3},
                    },
                ),
                ("turbotext", {"foto_limit": 12384}),
            ]
        ):
            Attempt.objects.create(
                **{"job": photo, "number": number, "started_at": photo.started_at},
                **{"provider": provider, "duration_ms": 5, "usage": usage},
            )
        page = self.open_job_page(photo)
        self.assertContains(
            page,
            "Токены: отправлено 1290 (текст 25, снимки 1265), получено 1120 · "
            "уровень обслуживания: standard · newCount: 3",
        )
        self.assertContains(page, "На счету сервиса осталось 12384 фото")

    def test_a_hash_that_matches_nothing_is_told_in_words(self) -> None:
        photo = job(hash_recipe="none")
        self.store(photo)
        self.assertContains(self.open_job_page(photo), "не совпал ни с одним известным")

    def test_a_slot_with_a_reserve_is_switched_to_it_from_the_photo(self) -> None:
        self.assertNotContains(self.open_failed("provider_5xx"), "use-reserve")
        slot = Slot.objects.get(pk="slot-001")
        slot.reserves.create(
            **{"position": 1, "provider": slot.provider, "operation": slot.operation},
            settings={"prompt": "As a drawing"},
        )
        page = self.open_failed("provider_5xx")
        self.assertContains(page, 'id="use-reserve"')
        answer = self.client.post("/admin/board/slot-001/reserve/", {"confirmed": "1"})
        self.assertEqual(answer.status_code, 302)
        self.assertTrue(Slot.objects.get(pk="slot-001").on_reserve)
        self.assertNotContains(self.open_failed("provider_5xx"), "use-reserve")
        self.assertNotContains(self.open_failed("client_gone"), "use-reserve")
