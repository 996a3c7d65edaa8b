"""The operators' console as they use it: the door, the slots, by mouse, keyboard and phone."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

from playwright.sync_api import Page, expect

from photochanger.testing import live
from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    BrowserTestCase,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)

DESK = Look(DESKTOP)
PASSWORD = "correct-horse-battery"
_numbers = count()


class ConsoleTestCase(BrowserTestCase):
    session: ClassVar[list[Any]]  # the cookies of who has been here: hashing a password takes long

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.session = []

    @classmethod
    def prepare(cls, site: live.LiveSite) -> None:
        super().prepare(site)
        make = (
            "from django.contrib.auth.models import User;"
            f"User.objects.create_superuser('serg', password='{PASSWORD}')"
        )
        site.manage("shell", "--verbosity", "0", "-c", make)
        recipe = """'{"prompt": "A nebula"}'"""
        site.execute(f"UPDATE slot SET settings = {recipe}, is_active = 1 WHERE id <= 'slot-004'")
        names = {1: "Летний бал", 2: "Космическая вечеринка", 3: "Портрет маслом", 4: "Нуар"}
        for number, name in names.items():
            site.execute(f"UPDATE slot SET display_name = '{name}' WHERE id = 'slot-{number:03}'")

    def logged_in(self, look: Look = DESK, **options: Any) -> Page:
        page = self.page(look, **options)
        self.log_in(page)
        return page

    def log_in(self, page: Page, path: str = "/admin/") -> None:
        """Through the door once, and then as one who has been here."""
        if self.session:
            page.context.add_cookies(self.session)
            page.goto(path)
            return
        page.goto(f"/admin/login/?next={path}")
        self.enter(page)
        page.wait_for_url(f"**{path}")
        self.session.extend(page.context.cookies())

    def enter(self, page: Page) -> None:
        page.get_by_label("Имя пользователя").fill("serg")
        page.get_by_label("Пароль", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Войти").click()

    def add_job(
        self, slot_id: str, *, ago_s: float = 60, reason: str = "", is_open: bool = False
    ) -> None:
        started = datetime.now(UTC) - timedelta(seconds=ago_s)
        shown = "%Y-%m-%d %H:%M:%S.%f"
        values: dict[str, Any] = {
            "job_id": uuid4().hex,
            "slot_id": slot_id,
            "slot_version": 1,
            "source": "ingest",
            "status": "processing" if is_open else "failed" if reason else "done",
            "provider": "gemini",
            "operation": "image_edit",
            "started_at": started.strftime(shown),
            "deadline": (started + timedelta(seconds=48)).strftime(shown),
            "failure_reason": reason,
            "photo_sha256": f"{next(_numbers):064}",
            "photo_bytes": 1000,
        }
        if not is_open:
            values |= {"finished_at": values["deadline"], "duration_ms": 8000}
        columns = {name: "" for name, *_ in self.empty_columns()} | values
        cells = ", ".join(f"'{v}'" if isinstance(v, str) else str(v) for v in columns.values())
        self.site.execute(f"INSERT INTO job_history ({', '.join(columns)}) VALUES ({cells})")

    def empty_columns(self) -> list[tuple[str]]:
        """Of a job: what must not be null, and has no other default than nothing."""
        rows = self.site.rows(
            "SELECT name, type, \"notnull\" FROM pragma_table_info('job_history')"
        )
        return [(name,) for name, _type, is_needed in rows if is_needed]


class LoginTests(ConsoleTestCase):
    def test_the_page_is_good_on_phones_and_desks_by_day_and_night(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.open("/admin/login/", look)
                page.wait_for_load_state("networkidle")
                self.screenshot(page, "login", look)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)

    def test_a_wrong_password_is_told_and_the_name_stays(self) -> None:
        for look in LOOKS:
            page = self.open("/admin/login/", look)
            expect(page.get_by_label("Имя пользователя")).to_be_focused()
            page.keyboard.type("serg")
            page.keyboard.press("Tab")
            page.keyboard.type("wrong")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("Неверное имя или пароль")
            expect(page.get_by_label("Имя пользователя")).to_have_value("serg")
            expect(page.get_by_label("Пароль", exact=True)).to_be_focused()
            assert_accessible(page)
            self.screenshot(page, "login-wrong", look)

    def test_a_password_can_be_looked_at(self) -> None:
        page = self.open("/admin/login/", DESK)
        page.get_by_label("Пароль", exact=True).fill("see me")
        eye = page.get_by_role("button", name="Показать пароль")
        eye.click()
        expect(page.get_by_label("Пароль", exact=True)).to_have_attribute("type", "text")
        expect(eye).to_have_attribute("aria-pressed", "true")
        eye.click()
        expect(page.get_by_label("Пароль", exact=True)).to_have_attribute("type", "password")


class StockPageTests(ConsoleTestCase):
    def test_djangos_own_pages_are_of_one_piece_with_ours(self) -> None:
        # Both by axe itself: it shows what is hidden, and reads what a style sheet imports.
        self.tolerate("^: Applying inline style|/widgets[.][a-f0-9]+[.]css: Failed")
        djangos = ("#changelist-filter", ".inline-group", ".datetime")
        for look in LOOKS:
            page = self.logged_in(look)
            for name, path in {
                "slot": "/admin/slots/slot/slot-001/change/",
                "history": "/admin/slots/slot/slot-001/history/",
                "files": "/admin/media/mediaobject/",
                "users": "/admin/auth/user/",
                "user": "/admin/auth/user/1/change/",
                "delete": "/admin/auth/user/1/delete/",
                "password": "/admin/password_change/",
            }.items():
                with self.subTest(look=str(look), page=name):
                    page.goto(path, wait_until="networkidle")
                    self.screenshot(page, f"stock-{name}", look)
                    assert_nothing_is_cut_off(page)
                    if not name.startswith("user"):  # Django's date fields there have no labels
                        assert_accessible(page, exclude=djangos)


class BoardTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site.execute("DELETE FROM job_history")
        self.site.execute("UPDATE slot SET is_active = 1 WHERE id <= 'slot-004'")

    def test_the_slots_are_good_on_phones_and_desks_by_day_and_night(self) -> None:
        self.site.execute("UPDATE slot SET is_active = 0 WHERE id = 'slot-004'")
        self.add_job("slot-001", ago_s=720)
        self.add_job("slot-001", ago_s=3, is_open=True)
        self.add_job("slot-001", ago_s=5, is_open=True)
        self.add_job("slot-002", ago_s=130, reason="quota")
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                page.wait_for_load_state("networkidle")
                self.screenshot(page, "board", look, full_page=True)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                page.locator("#rest-title").click()
                page.locator("#more-slot-001").click()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "board-menu", look)

    def test_nothing_set_up_yet_says_what_to_do(self) -> None:
        kept = self.site.rows("SELECT id, settings FROM slot WHERE settings <> '{}'")
        self.site.execute("UPDATE slot SET settings = '{}'")
        try:
            for look in LOOKS:
                page = self.logged_in(look)
                expect(page.get_by_text("Настройте первый слот")).to_be_visible()
                assert_accessible(page)
                self.screenshot(page, "board-empty", look)
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

    def test_switching_off_asks_first_and_tells_how_it_ended(self) -> None:
        page = self.logged_in(reduced_motion="no-preference")
        page.locator("#more-slot-003").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Выключить «Портрет маслом»?")
        expect(dialog.get_by_role("button", name="Отмена")).to_be_focused()
        assert_accessible(page)
        self.screenshot(page, "board-asks", DESK)
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
        self.screenshot(page, "board-toast", DESK)
        page.keyboard.press("Enter")
        page.locator("#menu-slot-003").get_by_role("button", name="Включить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Активен")

    def test_of_two_who_switch_at_once_the_later_is_told(self) -> None:
        page = self.logged_in()
        page.locator("#more-slot-002").click()
        self.site.execute("UPDATE slot SET version = version + 1 WHERE id = 'slot-002'")
        page.locator("#menu-slot-002").get_by_role("button", name="Выключить").click()
        page.get_by_role("dialog").get_by_role("button", name="Выключить").click()
        expect(page.locator("#toasts li.error")).to_be_visible()
        self.assertEqual(self.is_active("slot-002"), 1)

    def test_cleaning_up_tells_what_was_deleted(self) -> None:
        self.add_result(b"x" * 2000, minutes_ago=60 * 73)
        page = self.logged_in()
        page.locator("#more-slot-001").click()
        page.locator("#menu-slot-001").get_by_role("button", name="Очистить").click()
        page.get_by_role("dialog").get_by_role("button", name="Очистить").click()
        expect(page.locator("#toasts li")).to_contain_text("удалён 1 файл")

    def test_news_come_by_themselves_and_leave_the_focus_where_it_is(self) -> None:
        page = self.following()
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

    def test_an_open_menu_is_not_taken_away(self) -> None:
        page = self.following()
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
        page = self.following()
        recipe = """'{"prompt": "A beach"}'"""
        self.site.execute(f"UPDATE slot SET settings = {recipe} WHERE id = 'slot-009'")
        page.clock.run_for(6000)
        expect(page.locator("#cards .slot").last).to_have_id("slot-009")
        self.site.execute("UPDATE slot SET settings = '{}' WHERE id = 'slot-009'")
        page.clock.run_for(6000)
        expect(page.locator("#cards .slot").last).to_have_id("slot-004")

    def test_a_lost_connection_is_told_quietly_and_forgotten(self) -> None:
        self.tolerate("ERR_INTERNET_DISCONNECTED|htmx:sendError")
        page = self.following()
        page.route("**/board/", lambda route: route.abort("internetdisconnected"))
        page.clock.run_for(6000)
        expect(page.get_by_text("нет связи")).to_be_visible()
        assert_accessible(page)
        page.unroute("**/board/")
        page.clock.run_for(6000)
        expect(page.get_by_text("нет связи")).to_be_hidden()

    def test_when_the_session_ends_the_page_goes_to_the_door_and_back(self) -> None:
        self.tolerate("status of 401|Error Code 401")
        page = self.following()
        page.context.clear_cookies(name="sessionid")
        page.clock.run_for(6000)
        page.wait_for_url("**/admin/login/?next=%2Fadmin%2F")

    def test_what_is_being_typed_stays_when_the_session_ends(self) -> None:
        self.tolerate("status of 401")
        page = self.logged_in()
        page.goto("/admin/auth/user/1/change/")
        page.locator("#id_first_name").fill("Сергей")
        page.context.clear_cookies(name="sessionid")
        save = page.locator("input[name=_continue]")
        save.click()
        asks = page.locator("#asks-to-log-in")
        expect(asks).to_contain_text("Сессия закончилась")
        self.screenshot(page, "session-over", DESK)
        with page.expect_popup() as popup:
            asks.get_by_role("link").click()
        self.enter(self.watched(popup.value))
        popup.value.wait_for_url("**/admin/auth/user/1/change/")
        expect(page.locator("#id_first_name")).to_have_value("Сергей")
        with page.expect_navigation():
            save.click()
        expect(page.locator("#id_first_name")).to_have_value("Сергей")
        self.assertEqual(self.site.rows("SELECT first_name FROM auth_user"), [("Сергей",)])

    def test_a_form_without_a_connection_is_not_sent_into_nothing(self) -> None:
        self.tolerate("ERR_INTERNET_DISCONNECTED")
        page = self.logged_in()
        page.goto("/admin/auth/user/1/change/")
        page.locator("#id_last_name").fill("Иванов")
        page.route("**/*", lambda route: route.abort("internetdisconnected"))
        page.locator("input[name=_save]").click()
        expect(page.locator("#toasts .error")).to_contain_text("Нет связи")
        expect(page.locator("#id_last_name")).to_have_value("Иванов")

    def test_a_refresh_does_not_leave_while_somebody_types(self) -> None:
        self.tolerate("status of 401|Error Code 401")
        page = self.following()
        page.evaluate(
            """() => { const form = document.createElement('form'); form.method = 'post';
            form.innerHTML = '<label>x<input id="typed"></label>';
            document.getElementById('content').append(form); }"""
        )
        page.locator("#typed").fill("a long prompt")
        page.context.clear_cookies(name="sessionid")
        page.clock.run_for(6000)
        expect(page.locator("#asks-to-log-in")).to_be_visible()
        expect(page.locator("#typed")).to_have_value("a long prompt")

    def test_logging_out_leads_to_the_door(self) -> None:
        page = self.logged_in()
        page.get_by_role("button", name="Выйти").click()
        self.session.clear()
        page.wait_for_url("**/admin/login/")
        page.goto("/admin/")
        page.wait_for_url("**/admin/login/?next=/admin/")

    def test_the_language_is_switched_and_kept(self) -> None:
        page = self.logged_in()
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name="AI processing slots")).to_be_visible()
        page.goto("/admin/ingest/job/")
        expect(page.get_by_role("link", name="Log of jobs")).to_be_visible()
        page.get_by_role("button", name="Русский").click()
        expect(page.get_by_role("link", name="Журнал обработок")).to_be_visible()

    def test_light_and_dark_are_switched_and_kept(self) -> None:
        page = self.logged_in()
        page.locator(".theme-toggle").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        self.assertEqual(self.background(page), "rgb(18, 41, 31)")
        page.reload()
        self.assertEqual(self.background(page), "rgb(18, 41, 31)")

    def test_the_page_is_used_by_keyboard_alone(self) -> None:
        page = self.logged_in()
        page.keyboard.press("Tab")
        expect(page.locator(".skip-to-content-link")).to_be_focused()
        page.keyboard.press("Enter")
        for place in ("#to-event", "#new-slot"):
            page.keyboard.press("Tab")
            expect(page.locator(place)).to_be_focused()

    def test_without_scripts_buttons_ask_on_a_page(self) -> None:
        page = self.logged_in(java_script_enabled=False)
        page.locator("#more-slot-003").click()
        page.locator("#menu-slot-003").get_by_role("button", name="Выключить").click()
        expect(page.get_by_role("heading", name="Выключить «Портрет маслом»?")).to_be_visible()
        self.screenshot(page, "board-asks-plain", DESK)
        page.locator(".asking").get_by_role("button", name="Выключить").click()
        expect(page.locator("#state-slot-003")).to_have_text("Выключен")

    # --- Helpers
    def is_active(self, slot_id: str) -> int:
        rows = self.site.rows(f"SELECT is_active FROM slot WHERE id = '{slot_id}'")
        return int(rows[0][0])

    def following(self) -> Page:
        """The slots, with a clock that the test turns."""
        page = self.page(DESK)
        page.clock.install()
        self.log_in(page)
        return page

    def background(self, page: Page) -> str:
        shown = "getComputedStyle(document.querySelector('.slot')).backgroundColor"
        return str(page.evaluate(shown))
