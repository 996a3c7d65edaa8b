"""The print of a slot on its page: paper, words, code, and how sample people look on it."""

from playwright.sync_api import expect

from photochanger.testing.browser import LOOKS, assert_accessible, assert_nothing_is_cut_off
from photochanger.testing.console import ConsoleTestCase


class PrintsBrowserTests(ConsoleTestCase):
    def test_a_sample_print_is_shown_before_anything_is_saved(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.page(look)
                self.log_in(page, "/admin/slots/slot/slot-001/change/")
                page.locator("#id_paper").select_option("4x6")
                page.locator("#id_frame_text").fill("Анна и Пётр")
                page.locator("#id_frame_qr").select_option(index=1)
                page.locator("#preview-print").click()
                shown = page.locator(".print-sample")
                expect(shown).to_be_visible()
                # Natural size: it has come through the content policy.
                size = shown.evaluate(
                    "it => it.decode().then(() => [it.naturalWidth, it.naturalHeight])"
                )
                self.assertEqual(round(1000 * size[0] / size[1]), 667)
                shown.scroll_into_view_if_needed()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "slot-print", look)
        self.assertEqual(self.site.rows("SELECT paper FROM slot WHERE id = 'slot-001'"), [("",)])
