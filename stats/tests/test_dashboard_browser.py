"""The console's first page, the dashboard: slots by mouse, keyboard and phone."""

from playwright.sync_api import expect

from photochanger.testing.browser import (
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase


class DashboardTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site.execute("DELETE FROM job_history")
        self.site.execute("UPDATE slot SET is_active = 1 WHERE id <= 'slot-004'")

    def test_the_page_is_accessible_on_phone_and_desktop_in_both_themes(self) -> None:
        self.site.execute("UPDATE slot SET is_active = 0 WHERE id = 'slot-004'")
        self.add_job("slot-001", ago_s=720)
        self.add_job("slot-001", ago_s=3, is_open=True)
        self.add_job("slot-001", ago_s=5, is_open=True)
        self.add_job("slot-002", ago_s=130, reason="quota")
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                page.wait_for_load_state("networkidle")
                self.screenshot(page, "dashboard", look, full_page=True)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                page.locator("#rest-title").click()
                page.locator("#more-slot-001").click()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "dashboard-menu", look)

    def test_nothing_set_up_yet_says_what_to_do(self) -> None:
        kept = self.site.rows("SELECT id, settings FROM slot WHERE settings <> '{}'")
        self.site.execute("UPDATE slot SET settings = '{}', is_active = 0")
        try:
            for look in LOOKS:
                page = self.logged_in(look)
                expect(page.get_by_text("Настройте первый слот")).to_be_visible()
                assert_accessible(page)
                self.screenshot(page, "dashboard-empty", look)
            page.get_by_role("link", name="Новый слот").click()
            page.wait_for_url("**/admin/slots/slot/slot-001/change/")
        finally:
            for slot_id, settings in kept:
                self.site.execute(f"UPDATE slot SET settings = '{settings}' WHERE id = '{slot_id}'")

    def test_the_link_is_copied_also_where_browsers_have_no_clipboard(self) -> None:
        for has_clipboard in (True, False):
            page = self.page(DESK, permissions=["clipboard-read", "clipboard-write"])
            if not has_clipboard:
                page.add_init_script("delete Navigator.prototype.clipboard")
            self.log_in(page)
            page.get_by_role("button", name="Копировать ссылку: Летний бал").click()
            expect(page.get_by_role("status").filter(has_text="Скопировано")).to_be_attached()
            expect(page.locator("#copy-slot-001")).to_have_class("done")
            page.goto("/admin/ingest/job/")
            page.locator("#searchbar").focus()
            page.keyboard.press("Control+V")
            expect(page.locator("#searchbar")).to_have_value(f"{self.server.url}/ingest/slot-001")

    def test_switching_off_asks_first_and_shows_the_outcome(self) -> None:
        page = self.logged_in(reduced_motion="no-preference")
        page.locator("#more-slot-003").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Выключить «Портрет маслом»?")
        expect(dialog.get_by_role("button", name="Отмена")).to_be_focused()
        assert_accessible(page)
        self.screenshot(page, "dashboard-asks", DESK)
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        self.assertEqual(self.is_active("slot-003"), 1)
        page.locator("#menu-slot-003").get_by_role("button", name="Выключить").click()
        dialog.get_by_role("button", name="Выключить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Выключен")
        toast = page.locator("#toasts li")
        expect(toast).to_contain_text("Выключено: «Портрет маслом».")
        expect(page.locator("#more-slot-003")).to_be_focused()
        self.assertEqual(self.is_active("slot-003"), 0)
        self.screenshot(page, "dashboard-toast", DESK)
        page.keyboard.press("Enter")
        page.locator("#menu-slot-003").get_by_role("button", name="Включить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Активен")

    def test_on_a_phone_what_fails_comes_first_with_three_large_buttons(self) -> None:
        for ago_s in (130, 90, 40):
            self.add_job("slot-003", ago_s=ago_s, reason="quota")
        page = self.logged_in(Look(PHONE))
        expect(page.locator("#cards .slot").first).to_have_id("slot-003")
        large = page.locator("#quick-slot-003 > :visible")
        expect(large).to_have_text(["Выключить", "Проверить", "Открыть лог"])
        for number in range(3):
            box = large.nth(number).bounding_box()
            assert box and box["height"] >= 48 and box["width"] >= 90
        large.nth(0).click()
        page.get_by_role("dialog").get_by_role("button", name="Выключить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Выключен")
        expect(page.locator("#quick-switch-slot-003")).to_have_text("Включить")
        expect(page.locator("#quick-switch-slot-003")).to_be_focused()
        self.assertEqual(self.is_active("slot-003"), 0)
        self.screenshot(page, "dashboard-phone", Look(PHONE), full_page=True)
        page.locator("#quick-test-slot-001").click()
        page.wait_for_url("**/admin/event/#test-slot-001")

    def test_a_row_leads_to_its_log_its_form_and_statistics_from_now_on(self) -> None:
        page = self.logged_in()
        for name, url in {
            "Открыть лог": "**/admin/ingest/job/?slot=slot-001",
            "Редактировать": "**/admin/slots/slot/slot-001/change/",
            "Сброс статистики": "**/admin/statistics/?slot=slot-001&since=*",
        }.items():
            page.goto("/admin/")
            page.locator("#quick-slot-001").get_by_text(name).click()
            page.wait_for_url(url)
        expect(page.get_by_text("после сброса").first).to_be_visible()

    def test_a_card_says_what_its_slot_takes_and_whether_its_queue_is_free(self) -> None:
        meta = self.logged_in().locator("#meta-slot-001")
        for words in ("очередь свободна", "без шаблона", "фото до 15 МБ"):
            expect(meta).to_contain_text(words)

    def test_one_line_for_each_slot_is_a_choice_that_stays(self) -> None:
        for look in LOOKS:
            page = self.logged_in(look)
            before = page.locator("#slot-001").bounding_box()
            page.locator("#dense").click()
            expect(page.locator("#dense")).to_have_attribute("aria-pressed", "true")
            after = page.locator("#slot-001").bounding_box()
            assert before and after and after["height"] < before["height"] / 1.5
            expect(page.locator("#link-slot-001")).to_be_hidden()
            expect(page.locator("#state-slot-001")).to_be_visible()
            page.reload()
            expect(page.locator("#link-slot-001")).to_be_hidden()
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            self.screenshot(page, "dashboard-dense", look)

    def test_of_two_who_switch_at_once_the_later_sees_a_conflict(self) -> None:
        page = self.logged_in()
        page.locator("#more-slot-002").click()
        self.site.execute("UPDATE slot SET version = version + 1 WHERE id = 'slot-002'")
        page.locator("#menu-slot-002").get_by_role("button", name="Выключить").click()
        page.get_by_role("dialog").get_by_role("button", name="Выключить").click()
        expect(page.locator("#toasts li.error")).to_be_visible()
        self.assertEqual(self.is_active("slot-002"), 1)

    def test_cleaning_up_shows_what_was_deleted(self) -> None:
        self.add_result(b"x" * 2000, minutes_ago=60 * 73)
        page = self.logged_in()
        page.locator("#more-slot-001").click()
        page.locator("#menu-slot-001").get_by_role("button", name="Очистить").click()
        page.get_by_role("dialog").get_by_role("button", name="Очистить").click()
        expect(page.locator("#toasts li")).to_contain_text("удалён 1 файл")

    def test_updates_come_by_themselves_and_keep_the_focus(self) -> None:
        page = self.open_dashboard()
        page.locator("#open-slot-001").focus()
        page.evaluate("document.getElementById('slot-001').mark = 'kept'")
        self.add_job("slot-001", ago_s=1, is_open=True)
        self.add_job("slot-002", ago_s=1, reason="quota")
        page.clock.run_for(6000)
        expect(page.locator("#now")).to_contain_text("Сейчас в работе 1 фото")
        expect(page.locator("#meta-slot-001")).to_contain_text("в работе: 1 из")
        expect(page.locator("#state-slot-002")).to_have_text("Ошибки")
        expect(page.locator("#open-slot-001")).to_be_focused()
        self.assertEqual(page.evaluate("document.getElementById('slot-001').mark"), "kept")

    def test_an_open_menu_survives_updates(self) -> None:
        page = self.open_dashboard()
        page.locator("#more-slot-002").click()
        self.add_job("slot-002", ago_s=1, reason="quota")
        page.clock.run_for(11000)
        expect(page.locator("#menu-slot-002 .choices")).to_be_visible()
        expect(page.locator("#state-slot-002")).to_have_text("Активен")
        page.keyboard.press("Escape")
        expect(page.locator("#more-slot-002")).to_be_focused()
        page.clock.run_for(6000)
        expect(page.locator("#state-slot-002")).to_have_text("Ошибки")

    def test_a_slot_that_is_set_up_meanwhile_appears_in_its_place(self) -> None:
        page = self.open_dashboard()
        recipe = """'{"prompt": "A beach"}'"""
        self.site.execute(f"UPDATE slot SET settings = {recipe} WHERE id = 'slot-009'")
        page.clock.run_for(6000)
        expect(page.locator("#cards .slot").last).to_have_id("slot-009")
        self.site.execute("UPDATE slot SET settings = '{}' WHERE id = 'slot-009'")
        page.clock.run_for(6000)
        expect(page.locator("#cards .slot").last).to_have_id("slot-004")

    def test_a_lost_connection_is_shown_until_it_is_back(self) -> None:
        self.tolerate("ERR_INTERNET_DISCONNECTED|htmx:sendError")
        page = self.open_dashboard()
        page.route("**/board/", lambda route: route.abort("internetdisconnected"))
        page.clock.run_for(6000)
        expect(page.get_by_text("нет связи")).to_be_visible()
        assert_accessible(page)
        page.unroute("**/board/")
        page.clock.run_for(6000)
        expect(page.get_by_text("нет связи")).to_be_hidden()

    def test_the_page_is_used_by_keyboard_alone(self) -> None:
        page = self.logged_in()
        expect(page.locator("#alarm-start")).to_be_visible()
        expect(page.locator("#alarm-link")).to_be_hidden()  # what an earlier test broke is over
        page.keyboard.press("Tab")
        expect(page.locator(".skip-to-content-link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#content-start")).to_be_focused()
        for place in ("#alarm-start", "#to-event", "#to-library", "#dense", "#new-slot"):
            page.keyboard.press("Tab")
            expect(page.locator(place)).to_be_focused()

    def test_without_scripts_buttons_ask_on_a_page(self) -> None:
        page = self.logged_in(java_script_enabled=False)
        page.locator("#more-slot-003").click()
        page.locator("#menu-slot-003").get_by_role("button", name="Выключить").click()
        expect(page.get_by_role("heading", name="Выключить «Портрет маслом»?")).to_be_visible()
        self.screenshot(page, "dashboard-asks-plain", DESK)
        page.locator(".asking").get_by_role("button", name="Выключить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Выключен")

    def is_active(self, slot_id: str) -> int:
        rows = self.site.rows(f"SELECT is_active FROM slot WHERE id = '{slot_id}'")
        return int(rows[0][0])
