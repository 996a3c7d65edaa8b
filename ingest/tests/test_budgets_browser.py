"""The pages of budgets in a real browser."""

from playwright.sync_api import expect

from photochanger.testing.browser import LOOKS, assert_accessible
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import ConsoleTestCase


class BudgetsBrowserTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself
        self.site.execute("DELETE FROM budget")

    def test_a_budget_is_added_by_keyboard_and_removed_after_asking(self) -> None:
        page = self.logged_in()
        page.goto("/admin/costs/")
        page.locator("#to-budgets").focus()
        page.keyboard.press("Enter")
        page.locator("#add-budget").focus()
        page.keyboard.press("Enter")
        page.locator("#id_scope").select_option("slot:slot-002")
        page.locator("#id_pictures").fill("500")
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Бюджет сохранён")
        expect(page.locator("#budgets")).to_contain_text("0 из 500 картинок")
        page.get_by_role("link", name="Изменить: ").click()
        page.locator("#remove-budget").click()
        page.locator("#ask-yes").click()
        expect(page.locator("#toasts")).to_contain_text("Бюджет удалён")
        expect(page.locator("#budgets .nothing")).to_be_visible()

    def test_they_are_good_by_day_and_night_small_and_large(self) -> None:
        for number, (money, pictures) in enumerate([("50000000", "null"), ("null", "0")], start=1):
            self.site.execute(
                "INSERT INTO budget (id, slot_id, is_daily, counts_from, hard_micros,"
                " hard_pictures, soft_percent, at_limit, is_active, updated_at, updated_by) VALUES"
                f" ({number}, 'slot-00{number}', 1, '2026-11-27', {money}, {pictures}, 80,"
                " 'original', 1, '2026-11-27 00:00:00', '')"
            )
        for look in LOOKS:
            page = self.logged_in(look)
            page.goto("/admin/costs/budgets/")
            expect(page.locator("#budgets progress")).to_have_count(2)
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "budgets", look, full_page=True)
            page.goto("/admin/costs/budgets/1/")
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "budget", look, full_page=True)
            page.context.close()
