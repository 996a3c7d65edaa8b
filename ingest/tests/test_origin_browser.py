"""What a picture's file says of its origin, what each version has made, and what waits to be
approved, as people see it."""

import io

from PIL import Image
from playwright.sync_api import expect

from ingest.booth.client import send_photo
from ingest.booth.form import BoothRequest
from photochanger.testing.browser import LOOKS, assert_accessible, assert_nothing_is_cut_off
from photochanger.testing.console import ConsoleTestCase
from providers import simulator


class OriginBrowserTests(ConsoleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        provider = cls.enterClassContext(simulator.running())
        cls.site.env["GEMINI_BASE_URL"] = provider.url
        cls.server = cls.enterClassContext(cls.site.server())
        prompt = "As a fresco [sim:ok-credentials]"
        cls.site.manage("slot", "slot-001", "--set", f"prompt={prompt}")
        cls.site.manage("slot", "slot-001", "--publish", "after_approval")
        out = io.BytesIO()
        Image.effect_noise((320, 240), 40).convert("RGB").save(out, "JPEG")
        sent = BoothRequest(
            url=cls.server.url,
            slot="slot-001",
            photo=out.getvalue(),
            password=cls.site.password,
            timeout_s=120,
        )
        assert send_photo(sent).status == 200
        cls.job = cls.site.rows("SELECT job_id FROM job_history")[0][0]

    def test_the_pages_are_good_on_phones_and_desks_by_day_and_night(self) -> None:
        pages = {
            "credentials": (f"/admin/ingest/job/{self.job}/change/", "#credentials"),
            "history-pictures": ("/admin/slots/slot/slot-001/history/", ".made img"),
            "event-approvals": ("/admin/event/", "#approvals"),
            "ai-made": (f"/public/results/{self.job}/page", ".ai-made"),
        }
        for look in LOOKS:
            page = self.page(look)
            self.log_in(page)
            for name, (path, place) in pages.items():
                with self.subTest(look=str(look), page=name):
                    page.goto(path)
                    found = page.locator(place).first
                    expect(found).to_be_visible()
                    found.scroll_into_view_if_needed()
                    expect(page.locator(".check.busy")).to_have_count(0)
                    self.screenshot(page, name, look, full_page=True)
                    assert_accessible(page)
                    assert_nothing_is_cut_off(page)
