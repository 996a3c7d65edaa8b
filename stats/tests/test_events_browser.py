"""Events as operators run them: from a copy to the first photo, to the end and the purge."""

from datetime import datetime, timedelta
from typing import ClassVar

import httpx
from playwright.sync_api import Locator, Page, expect

from ingest.tests.support import jpeg
from photochanger.testing import live
from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase

MOST_CLICKS = 8
LAST = """
from datetime import timedelta
from django.utils import timezone
from slots.events.editing import save_event
from slots.events.running import close_event, start_event
from slots.models import Event
now = timezone.now()
event = Event(name="Свадьба Анны", public_title="Анна и Пётр", starts_at=now,
    ends_at=now + timedelta(hours=6), accent_colour="#0f6e5c", note="Позвонить Анне")
save_event(event, ["slot-001", "slot-002"], by="serg")
start_event(event.pk, by="serg")
close_event(event.pk, by="serg", switches_off=True)
"""


class EventsBrowserTests(ConsoleTestCase):
    provider: ClassVar[live.Simulator]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = cls.enterClassContext(cls.site.simulator())
        cls.server = cls.enterClassContext(cls.site.server())  # one that knows the simulator

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself
        self.clicks = 0
        self.site.execute("UPDATE slot SET event_id = NULL, sync_response_seconds = 60")
        for table in ("job_attempt", "media_object", "job_history", "event_purge", "event_slot"):
            self.site.execute(f"DELETE FROM {table}")
        self.site.execute("DELETE FROM event")

    def click(self, place: Locator) -> None:
        self.clicks += 1
        place.click()

    def say_yes(self, page: Page) -> None:
        self.click(page.locator("#ask-yes"))

    def post_photo(self) -> None:
        answer = httpx.post(
            f"{self.server.url}/ingest/slot-001",
            data={"password": self.site.password},
            files={"fileToUpload": ("IMG_0001.JPG", jpeg(), "image/jpeg")},
            timeout=180,
        )
        self.assertEqual(answer.status_code, 200, answer.text[:300])

    def assert_good(self, page: Page, name: str) -> None:
        for look in (*LOOKS, *OTHER_LOOKS):
            with self.subTest(page=name, look=str(look)):
                page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
                page.emulate_media(color_scheme=look.theme)
                assert_nothing_is_cut_off(page)
                if look in LOOKS:
                    assert_accessible(page)
                    self.screenshot(page, name, look, full_page=True)

    def test_from_a_copy_to_the_first_photo_in_a_few_clicks(self) -> None:
        self.site.manage("shell", "--verbosity", "0", "-c", LAST)
        page = self.logged_in()
        self.click(page.get_by_role("link", name="Мероприятия", exact=True).first)
        self.click(page.get_by_role("link", name="Свадьба Анны"))
        self.click(page.get_by_role("button", name="Следующее по этому"))
        page.locator("#id_name").fill("Юбилей завода")
        self.click(page.get_by_role("button", name="Сохранить"))
        self.click(page.locator("#start"))
        self.say_yes(page)
        expect(page.locator(".lead .pill")).to_have_text("идёт")
        self.post_photo()
        expect(page.locator("#event-photos")).to_have_text("1")
        self.assertLessEqual(self.clicks, MOST_CLICKS)

    def test_the_whole_life_of_an_event(self) -> None:
        page = self.logged_in()
        page.goto("/admin/events/new/")
        self.fill_in(page)
        self.assert_good(page, "event-form")
        page.set_viewport_size({"width": DESK.size[0], "height": DESK.size[1]})
        page.locator("#save").click()
        expect(page.locator("h1")).to_have_text("Бал")
        self.assert_good(page, "event-planned")
        page.locator("#keep-slot-001").click()
        expect(page.locator("#slots")).to_contain_text("рецепт – каким был")
        page.locator("#start").click()
        page.locator("#ask-yes").click()
        expect(page.locator(".lead .pill")).to_have_text("идёт")
        self.post_photo()
        for figure, count in (("photos", 1), ("pictures", 1), ("in-work", 0)):
            expect(page.locator(f"#event-{figure}")).to_have_text(str(count))
        self.assert_good(page, "event-running")
        event = page.url
        page.locator("#to-dashboard").click()
        expect(page.locator("#cards > li")).to_have_count(1)
        expect(page.locator("#running-events")).to_contain_text("«Бал» идёт")
        self.assert_good(page, "event-dashboard")
        page.goto(event)
        page.locator("#to-jobs").click()
        expect(page.locator("#log tbody tr")).to_have_count(1)
        page.goto(event)
        page.locator("#to-statistics").click()
        expect(page.locator("#content")).to_contain_text("Только фото «Бал»")
        page.goto(f"{event}print/")
        expect(page.locator(".card")).to_contain_text("Тому, кто стоит у будки")
        self.assert_good(page, "event-print")
        self.close_and_purge(page, event)

    def fill_in(self, page: Page) -> None:
        page.locator("#id_name").fill("Бал")
        now = datetime.now()
        for name, at in (("starts_at", now), ("ends_at", now + timedelta(hours=5))):
            page.locator(f"#id_{name}").fill(f"{at:%Y-%m-%dT%H:%M}")
        page.get_by_label("slot-001 ·").check()
        page.locator("#id_accent_colour").fill("зелёный")
        page.locator("#save").click()
        expect(page.locator("#row-accent_colour .error")).to_contain_text("#0f866c")
        page.locator("#id_accent_colour").fill("#0f6e5c")
        page.locator("#id_logo").set_input_files(
            {"name": "logo.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
        )

    def close_and_purge(self, page: Page, event: str) -> None:
        page.goto(event)
        page.get_by_label("Выключить его слоты").check()
        page.get_by_role("button", name="Закончить мероприятие").click()
        page.locator("#ask-yes").click()
        expect(page.locator(".lead .pill")).to_have_text("закончилось")
        page.locator("#to-purge").click()
        expect(page.locator("#confirm")).to_be_visible()
        self.assert_good(page, "event-purge")
        page.locator("#confirm").fill("не то")
        page.get_by_role("button", name="Стереть", exact=True).click()
        expect(page.locator("#toasts")).to_contain_text("Ничего не стёрто")
        page.locator("#kept-name").fill("Бал 2026")
        page.locator("#confirm").fill("Бал")
        page.get_by_role("button", name="Стереть", exact=True).click()
        expect(page.locator("h1")).to_have_text("Бал 2026")
        expect(page.locator(".lead .pill")).to_have_text("стёрто")
        expect(page.locator(".proof")).to_contain_text("картинки")
        self.assert_good(page, "event-purged")
        self.assertEqual(self.site.rows("SELECT count(*) FROM event_purge")[0][0], 1)
        page.goto("/admin/events/")
        self.assert_good(page, "events")

    def test_every_step_works_without_a_script(self) -> None:
        self.site.manage("shell", "--verbosity", "0", "-c", LAST)
        self.logged_in()
        page = self.page(Look(), java_script_enabled=False)
        page.context.add_cookies(self.session)
        page.goto("/admin/events/")
        page.get_by_role("link", name="Свадьба Анны").click()
        page.get_by_role("button", name="Следующее по этому").click()
        page.get_by_role("button", name="Сохранить").click()
        page.locator("#start").click()
        self.say_yes_on_paper(page)
        expect(page.locator(".lead .pill")).to_have_text("идёт")
        page.locator("#switches-off").check()
        page.get_by_role("button", name="Закончить мероприятие").click()
        self.say_yes_on_paper(page)
        expect(page.locator(".lead .pill")).to_have_text("закончилось")
        on = "SELECT count(*) FROM slot WHERE id IN ('slot-001', 'slot-002') AND is_active"
        self.assertEqual(self.site.rows(on), [(0,)])
        page.locator("#to-purge").click()
        page.locator("#confirm").fill("Свадьба Анны")
        page.get_by_role("button", name="Стереть", exact=True).click()
        expect(page.locator(".lead .pill")).to_have_text("стёрто")

    def say_yes_on_paper(self, page: Page) -> None:
        page.locator("#content form button, #content form input[type=submit]").first.click()
