"""Every page in English, small and large: not a word of Russian is left, nothing is cut off."""

import re

from playwright.sync_api import Page

from photochanger.testing.browser import OTHER_LOOKS, assert_nothing_is_cut_off
from stats.tests.test_statistics_browser import FiguresTestCase

RUSSIAN = re.compile("[А-яЁё][^\n]*")
SLOT = "/admin/slots/slot/slot-001"
PAGES = {
    "dashboard": "/admin/",
    "slot": f"{SLOT}/change/",
    "copy": f"{SLOT}/copy/",
    "history": f"{SLOT}/history/",
    "restore": f"{SLOT}/restore/{{entry}}/",
    "pictures": f"{SLOT}/pictures/",
    "settings": "/admin/slots/setting/",
    "statistics": "/admin/statistics/",
    "jobs": "/admin/ingest/job/",
    "job": "/admin/ingest/job/{job}/change/",
    "audit": "/admin/audit/",
    "event": "/admin/event/",
    "events": "/admin/events/",
    "new-event": "/admin/events/new/",
    "an-event": "/admin/events/{event}/",
    "event-print": "/admin/events/{event}/print/",
    "capture": "/admin/capture/",
    "files": "/admin/media/mediaobject/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/1/change/",
    "password": "/admin/password_change/",
}
GUEST_PAGES = {
    "gallery": "/public/slots/slot-001",
    "guest": "/public/results/{result}/page",
    "guest-gone": "/public/results/00000000-0000-4000-8000-000000000000/page",
}
CHANGES = """
from slots.editing import change_slot
from slots.schemas import SlotIn
for prompt in ("On the deck of a yacht", "On the deck of a schooner"):
    change_slot("slot-001", SlotIn(settings={"prompt": prompt}, gallery_enabled=True), by="serg")

from slots.events.editing import save_event
from slots.models import Event
event = Event(name="Party", starts_at="2026-11-28T18:00+00:00", ends_at="2026-11-28T23:00+00:00")
save_event(event, ["slot-001"], by="serg")
"""


class EnglishTests(FiguresTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.execute("UPDATE slot SET display_name = 'Party ' || id")
        cls.site.manage("shell", "--verbosity", "0", "-c", CHANGES)

    def words(self, page: Page) -> str:
        """What is seen, also of what is folded away, and what is read aloud."""
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        named = page.locator("[aria-label]:not([lang]), [title], [placeholder], img[alt]")
        read = "all => all.map((e) => [e.ariaLabel, e.title, e.placeholder, e.alt].join(' '))"
        return "\n".join([page.locator("body").inner_text(), *named.evaluate_all(read)])

    def test_every_page_is_english_and_good_at_both_sizes(self) -> None:
        job = self.add_photo_with_picture()
        self.add_job("slot-002", ago_s=30, reason="quota")
        entry = self.site.rows("SELECT min(id) FROM django_admin_log")[0][0]
        page = self.logged_in()
        page.get_by_role("button", name="English").click()
        event = self.site.rows("SELECT max(id) FROM event")[0][0]
        for name, path in PAGES.items():
            self.assert_english(page, name, path.format(job=job, entry=entry, event=event))

    def test_guests_pages_follow_their_phone(self) -> None:
        self.tolerate("status of 404")
        page = self.page(locale="en-US")
        result = self.add_photo_with_picture()
        for name, path in GUEST_PAGES.items():
            self.assert_english(page, name, path.format(result=result))

    def assert_english(self, page: Page, name: str, path: str) -> None:
        page.goto(path, wait_until="networkidle")
        with self.subTest(page=name):
            self.assertEqual(page.locator("html").get_attribute("lang"), "en")
            self.assertEqual(RUSSIAN.findall(self.words(page)), [])
        for look in OTHER_LOOKS:
            with self.subTest(page=name, look=str(look)):
                page.set_viewport_size({"width": look.size[0], "height": look.size[1]})
                page.emulate_media(color_scheme=look.theme)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, f"english-{name}", look, full_page=True)
