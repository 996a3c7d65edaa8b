"""The dashboard by HTTP: who may see it, how many queries it takes, what its buttons do."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import TestCase
from django.utils import timezone

from ingest.models import Job, Refusal
from ingest.refusals.causes import FAILURES, REFUSALS
from media.models import MediaObject
from photochanger.testing.client import Client
from slots.models import Slot
from stats.tests.support import job, open_job

HTMX = {"HX-Request": "true"}


class DashboardTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.serg = User.objects.create_superuser("serg", password="x")
        Slot.objects.filter(pk__in=["slot-001", "slot-002"]).update(
            is_active=True, settings={"prompt": "As an oil painting"}
        )

    def setUp(self) -> None:
        self.client.force_login(self.serg)

    def post(self, path: str, *, client: Client | None = None, **data: Any) -> Any:
        return (client or self.client).post(f"/admin/board/{path}/", data)

    def slot(self, slot_id: str = "slot-001") -> Slot:
        return Slot.objects.get(pk=slot_id)


class AlarmBarTests(DashboardTestCase):
    def test_the_bar_does_not_say_once_more_what_the_cards_say(self) -> None:
        Job.objects.bulk_create(job(ago_s=9 + n, reason="network") for n in range(3))
        texts = {}
        for page in ("/admin/", "/admin/audit/"):
            asked = {"HX-Current-URL": f"http://testserver{page}", "Accept-Language": "en"}
            answer = self.client.get("/admin/alarm/", headers=HTMX | asked)
            self.assertContains(answer, 'data-count="1"')  # title and icon tell it everywhere
            texts[page] = answer.content.decode()
        self.assertIn('role="alert"', texts["/admin/audit/"])
        self.assertNotIn('role="alert"', texts["/admin/"])


class AccessTests(DashboardTestCase):
    def test_every_page_is_under_the_content_policy(self) -> None:
        for page in ("", "board/", "slots/slot/", "ingest/job/", "auth/user/", "password_change/"):
            with self.subTest(page=page):
                answer = self.client.get(f"/admin/{page}")
                self.assertEqual(answer.status_code, 200)
                self.assertIn("script-src 'self'", answer["Content-Security-Policy"])
                self.assertNotContains(answer, "<style")
                self.assertNotContains(answer, "style=")
                self.assertNotRegex(answer.content.decode(), r"<script(?![^>]* src=)[^>]*>")
                self.assertNotRegex(answer.content.decode(), r" on[a-z]+=")

    def test_who_is_not_logged_in_gets_the_login_page(self) -> None:
        self.client.logout()
        for page in ("", "board/", "slots/slot/"):
            answer = self.client.get(f"/admin/{page}")
            self.assertRedirects(answer, f"/admin/login/?next=/admin/{page}")
        for action in ("switch", "cleanup"):
            self.assertEqual(self.post(f"slot-001/{action}", confirmed="1").status_code, 302)
        self.assertTrue(self.slot().is_active)

    def test_a_part_of_a_page_is_never_the_login_page(self) -> None:
        self.client.logout()
        where = {"HX-Current-URL": "http://testserver/admin/slots/slot/?q=a"}
        answer = self.client.get("/admin/board/", headers=HTMX | where)
        self.assertEqual((answer.status_code, answer.content), (401, b""))
        self.assertEqual(answer["X-Login"], "/admin/login/?next=%2Fadmin%2Fslots%2Fslot%2F%3Fq%3Da")
        elsewhere = {"HX-Current-URL": "https://evil.example/"}
        answer = self.client.get("/admin/board/", headers=HTMX | elsewhere)
        self.assertEqual(answer["X-Login"], "/admin/login/?next=%2Fadmin%2F")

    def test_the_queries_do_not_grow_with_the_photos(self) -> None:
        for photos in (0, 60):
            Job.objects.bulk_create(job(f"slot-{n % 15 + 1:03}") for n in range(photos))
            for page in ("/admin/", "/admin/board/"):
                with self.subTest(page=page, photos=photos), self.assertNumQueries(10):
                    self.client.get(page)

    def test_the_language_is_chosen_and_kept(self) -> None:
        self.assertContains(self.client.get("/admin/"), "Слоты AI-обработки")
        chosen = {"language": "en", "next": "/admin/"}
        self.assertRedirects(self.client.post("/admin/language/", chosen), "/admin/")
        self.assertContains(self.client.get("/admin/"), "AI processing slots")


class CardTests(DashboardTestCase):
    def test_slots_that_are_not_set_up_come_last(self) -> None:
        context = self.client.get("/admin/").context
        self.assertEqual([row.slot.pk for row in context["rows"]], ["slot-001", "slot-002"])
        self.assertEqual((len(context["unset"]), context["next_slot"].pk), (13, "slot-003"))

    def test_a_new_slot_is_offered_while_there_is_one(self) -> None:
        self.assertContains(self.client.get("/admin/"), "/admin/slots/slot/slot-003/change/")
        Slot.objects.update(settings={"prompt": "As an oil painting"})
        self.assertNotContains(self.client.get("/admin/"), 'id="new-slot"')

    def test_a_card_shows_what_happens_at_its_slot(self) -> None:
        Job.objects.bulk_create([open_job(ago_s=720), open_job(), job("slot-002", reason="quota")])
        page = self.client.get("/admin/board/").content.decode()
        for words in ("в работе: 1 из 4", "секунд назад", "Квота AI-сервиса исчерпана", "Ошибки"):
            self.assertIn(words, page)
        self.assertIn("http://testserver/ingest/slot-001", page)
        self.assertIn("?slot=slot-001", page)

    def test_an_open_gallery_is_marked_as_open_to_everybody(self) -> None:
        self.assertContains(self.client.get("/admin/"), "открыта всем, кто угадает ссылку", count=2)
        Slot.objects.update(gallery_mode="closed")
        self.assertNotContains(self.client.get("/admin/"), "открыта всем")

    def test_a_retiring_model_is_announced(self) -> None:
        self.assertNotContains(self.client.get("/admin/"), "Выбрать другую модель")
        recipe = {"prompt": "A nebula", "model": "gemini-3.1-flash-image"}
        Slot.objects.filter(pk="slot-002").update(settings=recipe)
        for path in ("/admin/", "/admin/board/"):
            answer = self.client.get(path)
            self.assertContains(answer, "Выбрать другую модель", count=1)
            self.assertContains(answer, "Nano Banana 2")
        Slot.objects.filter(pk="slot-002").update(is_active=False)
        self.assertNotContains(self.client.get("/admin/"), "Выбрать другую модель")

    def test_a_name_is_no_html(self) -> None:
        Slot.objects.filter(pk="slot-001").update(display_name='"><script>alert(1)</script>')
        self.assertNotContains(self.client.get("/admin/"), "<script>alert")


class AlarmTests(DashboardTestCase):
    def test_every_cause_has_a_link_to_its_remedy(self) -> None:
        """Of a slot that is on, of one that is off, of a link that none has."""
        now = timezone.now()
        links = ("slot-001", "slot-009", "slot-016", "")
        Refusal.objects.bulk_create(
            Refusal(
                minute=now,
                cause=cause,
                place=place,
                slot_asked=link,
                reason=cause,
                status=400,
                count=1,
                first_at=now,
                last_at=now,
            )
            for cause in REFUSALS
            for place, link in enumerate(links)
        )
        Job.objects.bulk_create(job("slot-002", reason=reason) for reason in list(FAILURES)[-10:])
        answer = self.client.get("/admin/")
        self.assertEqual(
            answer.context["red_count"], 2 + 2 * sum(c.is_grave for c in REFUSALS.values()) + 1
        )
        for path in set(re.findall(r'<a\s+href="(/admin/[^"]*)"', answer.content.decode())):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 200)
        self.assertEqual(self.client.get("/admin/refusals/").status_code, 200)


class ActionTests(DashboardTestCase):
    def test_switching_off_asks_first(self) -> None:
        asks = self.post("slot-001/switch", is_active="0")
        self.assertContains(asks, "Выключить «Слот 1»?")
        self.assertTrue(self.slot().is_active)
        answer = self.post("slot-001/switch", is_active="0", confirmed="1")
        self.assertRedirects(answer, "/admin/", fetch_redirect_response=False)
        self.assertFalse(self.slot().is_active)
        self.assertEqual(self.slot().updated_by, "serg")
        self.assertContains(self.client.get("/admin/"), "Выключено: «Слот 1».")

    def test_switching_on_does_not_ask_and_is_in_the_slots_history(self) -> None:
        Slot.objects.filter(pk="slot-001").update(is_active=False)
        self.assertRedirects(self.post("slot-001/switch", is_active="1"), "/admin/")
        self.assertTrue(self.slot().is_active)
        entry = LogEntry.objects.get()
        self.assertEqual((entry.object_id, entry.user), ("slot-001", self.serg))

    def test_a_stale_page_changes_nothing_and_says_so(self) -> None:
        Slot.objects.filter(pk="slot-001").update(version=7)
        data = {"is_active": "0", "confirmed": "1"}
        answer = self.client.post("/admin/board/slot-001/switch/?version=6", data, headers=HTMX)
        self.assertContains(answer, '<li class="error">')
        self.assertTrue(self.slot().is_active)

    def test_a_recipe_that_cannot_work_is_not_switched_on(self) -> None:
        Slot.objects.filter(pk="slot-003").update(settings={"prompt": ""})
        answer = self.client.post("/admin/board/slot-003/switch/", {"is_active": "1"}, headers=HTMX)
        self.assertContains(answer, '<li class="error">')
        self.assertFalse(self.slot("slot-003").is_active)

    def test_an_unknown_slot_is_named(self) -> None:
        answer = self.client.post(
            "/admin/board/slot-099/cleanup/", {"confirmed": "1"}, headers=HTMX
        )
        self.assertContains(answer, "Такого слота нет")

    def test_cleaning_up_asks_first(self) -> None:
        media = MediaObject.objects.create(
            **{"slot_id": "slot-001", "kind": "result", "path": "results/slot-001/gone.jpg"},
            **{"mime": "image/jpeg", "size_bytes": 1},
            expires_at=timezone.now() - timedelta(hours=1),
        )
        self.assertContains(self.post("slot-001/cleanup"), "Очистить «Слот 1»?")
        media.refresh_from_db()
        self.assertIsNone(media.cleaned_at)
        self.assertRedirects(self.post("slot-001/cleanup", confirmed="1"), "/admin/")
        media.refresh_from_db()
        self.assertIsNotNone(media.cleaned_at)

    def test_a_form_of_another_site_does_nothing(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.serg)
        for action in ("switch", "cleanup"):
            answer = self.post(f"slot-001/{action}", client=strict, is_active="0", confirmed="1")
            self.assertEqual(answer.status_code, 403)
        self.assertTrue(self.slot().is_active)

    def test_buttons_answer_to_no_link(self) -> None:
        for action in ("switch", "cleanup"):
            self.assertEqual(self.client.get(f"/admin/board/slot-001/{action}/").status_code, 405)
