"""The page of costs in a real browser."""

from playwright.sync_api import expect

from photochanger.testing.browser import LOOKS, assert_accessible
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import ConsoleTestCase


class CostsBrowserTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def spend(self) -> None:
        self.site.execute("DELETE FROM spending")
        for day, slot, micros in (
            ("2026-11-26", 1, 18_412_300),
            ("2026-11-27", 1, 3_720_000),
            ("2026-11-27", 2, 912_000),
        ):
            self.site.execute(
                "INSERT INTO spending (day, slot_id, event_number, photos, pictures, tests,"
                " known_micros, probable_micros, unpriced_calls) VALUES"
                f" (date('now', '-{27 - int(day[-2:])} days'), 'slot-00{slot}', 0, 512, 498, 3,"
                f" {micros}, 74000, {slot - 1})"
            )

    def test_a_price_is_entered_by_keyboard_and_shown(self) -> None:
        page = self.logged_in()
        page.goto("/admin/costs/")
        page.get_by_role("link", name="Изменить цену: Turbotext").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#id_provider")).to_have_value("turbotext")
        page.locator("#id_source").fill("договор 17")
        page.locator("#id_per_picture").fill("0,05")
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Цена сохранена")
        expect(page.locator("#prices")).to_contain_text("0,0500\u202f$")
        page.locator("#price-history summary").click()
        expect(page.locator("#price-history")).to_contain_text("serg")

    def test_a_forecast_is_made(self) -> None:
        page = self.logged_in()
        page.goto("/admin/costs/")
        page.locator("#id_guests").fill("150")
        page.get_by_role("button", name="Посчитать").click()
        expect(page.locator("#forecast-answer")).to_contain_text("за 150 фото")

    def test_it_is_good_by_day_and_night_small_and_large(self) -> None:
        self.spend()
        for look in LOOKS:
            page = self.logged_in(look)
            page.goto("/admin/costs/?slot=slot-001&guests=150&shots=1")
            expect(page.locator("#by-slot")).to_be_visible()
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "costs", look, full_page=True)
            page.context.close()
