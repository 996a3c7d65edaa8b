"""A slot's reserve in a browser: set up on its page, switched on the dashboard's card."""

from playwright.sync_api import expect

from photochanger.testing.browser import (
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase

RESERVE = """
INSERT INTO slot_reserve
    (slot_id, position, is_enabled, provider, operation, settings, base_url, api_key)
VALUES ('{slot}', 1, 1, 'turbotext', 'image_edit', '{{}}', '', '')
"""
CIRCUIT = """
INSERT INTO slot_source_circuit
    (slot_id, position, failures, window_from, reason, opened_at, retry_at, tries, is_checked)
VALUES ('{slot}', 0, 4, '2026-11-27 21:41:00', 'network', '2026-11-27 21:41:00', NULL, 0, 0)
"""


class ReserveTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        for table in ("slot_source_circuit", "slot_reserve", "job_history"):
            self.site.execute(f"DELETE FROM {table}")
        self.site.execute("UPDATE slot SET on_reserve_since = NULL")
        for slot in ("slot-001", "slot-002", "slot-003"):
            self.site.execute(RESERVE.format(slot=slot))

    def test_the_card_is_readable_in_each_state_on_phone_and_desktop(self) -> None:
        self.site.execute(CIRCUIT.format(slot="slot-002"))
        self.site.execute(
            "UPDATE slot SET on_reserve_since = '2026-11-27 21:50:00' WHERE id = 'slot-003'"
        )
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                expect(page.locator("#source-slot-001")).to_contain_text("Резерв: Turbotext")
                expect(page.locator("#state-slot-002")).to_have_text("На резерве")
                expect(page.locator("#source-slot-003")).to_contain_text("включён вручную")
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "dashboard-reserve", look, full_page=True)

    def test_one_press_and_a_yes_switch_it_and_back_also_on_a_phone(self) -> None:
        for look in (Look(PHONE), DESK):
            page = self.logged_in(look)
            page.locator("#to-reserve-slot-001").click()
            dialog = page.get_by_role("dialog")
            expect(dialog).to_contain_text("Переключить «Летний бал» на резерв?")
            dialog.get_by_role("button", name="На резерв").click()
            expect(page.locator("#source-slot-001")).to_contain_text("включён вручную")
            expect(page.locator("#state-slot-001")).to_have_text("На резерве")
            self.assertIsNotNone(self.since())
            page.locator("#to-main-slot-001").click()
            dialog.get_by_role("button", name="Вернуть основной сервис").click()
            expect(page.locator("#source-slot-001")).to_contain_text("Резерв: Turbotext")
            self.assertIsNone(self.since())

    def since(self) -> str | None:
        (row,) = self.site.rows("SELECT on_reserve_since FROM slot WHERE id = 'slot-001'")
        found: str | None = row[0]
        return found

    def test_a_reserve_is_set_up_on_its_page(self) -> None:
        page = self.logged_in()
        page.goto("/admin/slots/slot/slot-004/change/")
        page.get_by_role("link", name="Резерв", exact=True).click()
        page.wait_for_url("**/reserve/")  # with its scripts
        first = page.get_by_role("region", name="Резерв 1")
        first.get_by_label("AI-сервис и операция").select_option("turbotext:image_edit")
        first.get_by_label("Свой промпт").fill("Ночь")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#toasts li")).to_contain_text("Резервы сохранены.")
        rows = self.site.rows(
            "SELECT is_enabled, settings FROM slot_reserve WHERE slot_id = 'slot-004'"
        )
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0][0], 1)
        self.assertIn("prompt", rows[0][1])
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                page.goto("/admin/slots/slot/slot-004/reserve/")
                page.get_by_text("Другой ключ или адрес").click()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "slot-reserve", look, full_page=True)
