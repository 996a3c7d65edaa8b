"""All template pictures and frames in a real browser: seen, narrowed, and on the way to a slot."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect

from photochanger.testing.browser import LOOKS, OTHER_LOOKS, assert_accessible, expect_drawn
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import ConsoleTestCase
from slots.tests.support import picture
from slots.tests.test_template_list import draw_frame

LONG = "Очень длинное название слота для проверки узких экранов"


class TemplateListBrowserTests(ConsoleTestCase):
    def give(self, page: Page, slot_id: str, kind: str, body: bytes) -> None:
        """As an operator gives it to a slot."""
        page.goto(f"/admin/slots/slot/{slot_id}/change/")
        page.locator("#second-summary").click()
        page.locator("#new-kind").select_option(kind)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "picture"
            file.write_bytes(body)
            name = "frame.png" if kind == "frame" else "style.jpg"
            page.locator("#template-file").set_input_files(file.rename(file.with_name(name)))
            expect(page.locator("#template-list .template")).to_have_count(1)
        page.get_by_role("button", name="Сохранить", exact=True).click()
        expect(page.locator("#toasts")).to_contain_text("охран")

    def test_all_of_them_are_in_one_place_small_and_large_by_day_and_night(self) -> None:
        self.tolerate("^: Applying inline style")  # by axe itself
        self.site.execute(f"UPDATE slot SET display_name = '{LONG}' WHERE id = 'slot-003'")
        page = self.logged_in()
        page.goto("/admin/templates/")
        expect(page.locator("#no-template")).to_contain_text("Второе изображение")
        self.give(page, "slot-001", "style", picture(size=(900, 600)))
        self.give(page, "slot-003", "frame", draw_frame())
        for look in LOOKS + OTHER_LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                page.locator("#navigation-more").click()
                page.get_by_role("link", name="Шаблоны и рамки").click()
                shown = page.locator("#templates img")
                expect(shown).to_have_count(2)
                for one in shown.all():
                    expect_drawn(one, wider_than=100)
                expect(page.locator("#templates")).to_contain_text("1200 × 1800 пикс.")
                assert_accessible(page)
                assert_fits(page)
                self.screenshot(page, "templates", look, full_page=True)
        self.narrow_and_go_on(page)

    def narrow_and_go_on(self, page: Page) -> None:
        page.get_by_label("Роль изображения").select_option("frame")
        page.get_by_role("button", name="Показать").click()
        expect(page.locator("#templates img")).to_have_count(1)
        page.get_by_role("link", name=LONG).click()
        page.wait_for_url("**/slot-003/change/#toggle-second")
        expect(page.locator("#template-list .template")).to_be_in_viewport()
        page.goto("/admin/templates/?slot=slot-002")
        expect(page.locator("#no-template")).to_contain_text("Такой картинки нет.")
        page.get_by_role("link", name=re.compile("Показать все")).click()
        expect(page.locator("#templates img")).to_have_count(2)
