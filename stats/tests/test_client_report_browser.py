"""The client's report as it is seen and printed."""

from playwright.sync_api import expect

from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import ConsoleTestCase

EVENT = (
    "INSERT INTO event (id, name, public_title, starts_at, ends_at, started_at, accent_colour,"
    " background_colour, gallery_mode, note) VALUES (1, 'Wedding', 'Свадьба Анны и Бориса',"
    " datetime('now', '-7 hours'), datetime('now'), datetime('now', '-7 hours'), '', '', '', '')"
)


class ClientReportTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        for table in ("job_attempt", "job_history", "event"):
            self.site.execute(f"DELETE FROM {table}")
        self.site.execute(EVENT)
        for number in range(120):
            self.add_job(f"slot-00{1 + number % 3}", ago_s=120 + (number * 733) % 21_000)
        self.site.execute(
            "UPDATE job_history SET event_id = 1, faces = 'kept', people_in = 3,"
            " cost_micros = 39000, probable_micros = 500"
        )
        self.addCleanup(self.site.execute, "DELETE FROM event")
        self.addCleanup(self.site.execute, "DELETE FROM job_history")

    def test_it_is_good_on_phones_and_desks_in_both_languages(self) -> None:
        for look in (Look(DESKTOP), *LOOKS):
            for language, words in (("ru", "Отчёт о мероприятии"), ("en", "Report of the event")):
                page = self.logged_in(look)
                page.goto(f"/admin/events/1/report/?lang={language}&cost=1")
                expect(page.locator(".client-report")).to_contain_text(words)
                expect(page.locator(".plot svg")).to_be_visible()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, f"client-report-{language}", look)

    def test_it_prints_on_one_sheet(self) -> None:
        page = self.logged_in()
        page.goto("/admin/events/1/report/?lang=en&cost=1")
        page.emulate_media(media="print")
        expect(page.get_by_role("button", name="Print")).to_be_hidden()
        expect(page.locator(".navigation")).to_be_hidden()
        self.screenshot(page, "client-report-printed", Look(DESKTOP))
        page.set_viewport_size({"width": 703, "height": 1031})
        height = page.evaluate("document.documentElement.scrollHeight")
        self.assertLessEqual(height, 1031)
        paper = page.pdf(format="A4", prefer_css_page_size=True)
        self.assertEqual(paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page/"), 1)
