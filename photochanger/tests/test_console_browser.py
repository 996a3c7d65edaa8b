"""The frame of the console: log in and out, Django's own pages, language, theme, session."""

from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase


class LoginTests(ConsoleTestCase):
    def test_the_page_is_accessible_on_phone_and_desktop_in_both_themes(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.open("/admin/login/", look)
                page.wait_for_load_state("networkidle")
                self.screenshot(page, "login", look)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)

    def test_a_wrong_password_is_refused_and_the_name_stays(self) -> None:
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

    def test_a_password_can_be_shown(self) -> None:
        page = self.open("/admin/login/", DESK)
        page.get_by_label("Пароль", exact=True).fill("see me")
        eye = page.get_by_role("button", name="Показать пароль")
        eye.click()
        expect(page.get_by_label("Пароль", exact=True)).to_have_attribute("type", "text")
        expect(eye).to_have_attribute("aria-pressed", "true")
        eye.click()
        expect(page.get_by_label("Пароль", exact=True)).to_have_attribute("type", "password")


class StockPageTests(ConsoleTestCase):
    def test_djangos_own_pages_are_accessible_and_fit(self) -> None:
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
                "password": "/admin/password_change/",
            }.items():
                with self.subTest(look=str(look), page=name):
                    page.goto(path, wait_until="networkidle")
                    self.screenshot(page, f"stock-{name}", look)
                    assert_nothing_is_cut_off(page)
                    assert_accessible(page, exclude=djangos)


class NavigationTests(ConsoleTestCase):
    def test_every_page_is_one_press_away_on_a_phone_and_on_a_desk(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                row = page.get_by_role("navigation", name="Разделы консоли")
                for name in ("Слоты", "Журнал", "Статистика", "Мероприятия"):
                    expect(row.get_by_role("link", name=name, exact=True)).to_be_in_viewport()
                shown = row.locator(":scope > ul > li:visible")
                tops = shown.evaluate_all(
                    "all => all.map((one) => Math.round(one.getBoundingClientRect().top))"
                )
                expected = 5 if look.size == PHONE else 6
                self.assertEqual((len(tops), len(set(tops))), (expected, 1), "one row")
                row.get_by_role("link", name="Журнал").click()
                page.wait_for_url("**/admin/ingest/job/")
                here = page.locator(".navigation [aria-current]:visible")
                expect(here).to_have_count(1)
                expect(here).to_have_text("Журнал")
                self.screenshot(page, "navigation", look)

    def test_more_pages_open_and_close_as_people_expect(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                page = self.logged_in(look)
                page.locator("#navigation-more").focus()
                page.keyboard.press("Enter")
                wanted = page.locator(".pull-down").get_by_role("link", name="Отказы и будки")
                expect(wanted).to_be_in_viewport()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                self.screenshot(page, "navigation-more", look)
                page.keyboard.press("Escape")
                expect(wanted).to_be_hidden()
                expect(page.locator("#navigation-more")).to_be_focused()
                page.locator("#navigation-more").click()
                page.mouse.click(10, 500)
                expect(wanted).to_be_hidden()
                page.locator("#navigation-more").click()
                wanted.click()
                page.wait_for_url("**/admin/refusals/")
                expect(page.locator(".pull-down[data-here]")).to_have_count(1)

    def test_the_row_stays_when_a_long_page_is_scrolled(self) -> None:
        page = self.logged_in(LOOKS[0])
        page.evaluate("document.body.style.minHeight = '4000px'")
        page.mouse.wheel(0, 2000)
        expect(page.locator(".brand")).not_to_be_in_viewport()
        for name in ("Слоты", "Журнал"):
            expect(page.locator(".navigation").get_by_role("link", name=name)).to_be_in_viewport()

    def test_it_fits_at_200_percent(self) -> None:
        page = self.logged_in(Look((640, 400)))
        assert_nothing_is_cut_off(page)
        assert_accessible(page)


class FrameTests(ConsoleTestCase):
    def test_an_expired_session_leads_to_the_login_page_and_back(self) -> None:
        self.tolerate("status of 401|Error Code 401")
        page = self.open_dashboard()
        page.context.clear_cookies(name="sessionid")
        page.clock.run_for(6000)
        page.wait_for_url("**/admin/login/?next=%2Fadmin%2F")

    def test_what_is_being_typed_stays_when_the_session_ends(self) -> None:
        self.tolerate("status of 401")
        page = self.logged_in()
        page.goto("/admin/slots/setting/")
        page.locator("#id_gallery_size").fill("23")
        page.context.clear_cookies(name="sessionid")
        page.locator("#save").click()
        asks = page.locator("#asks-to-log-in")
        expect(asks).to_contain_text("Сессия закончилась")
        self.screenshot(page, "session-over", DESK)
        with page.expect_popup() as popup:
            asks.get_by_role("link").click()
        self.enter(self.watched(popup.value))
        popup.value.wait_for_url("**/admin/slots/setting/")
        expect(page.locator("#id_gallery_size")).to_have_value("23")
        with page.expect_navigation():
            page.locator("#save").click()
        expect(page.locator("#id_gallery_size")).to_have_value("23")
        stored = self.site.rows("SELECT value FROM settings WHERE key = 'gallery_size'")
        self.assertEqual(stored, [("23",)])

    def test_a_form_is_not_sent_without_a_connection(self) -> None:
        self.tolerate("ERR_INTERNET_DISCONNECTED")
        page = self.logged_in()
        page.goto("/admin/slots/setting/")
        page.locator("#id_gallery_size").fill("29")
        page.route("**/*", lambda route: route.abort("internetdisconnected"))
        page.locator("#save").click()
        expect(page.locator("#toasts .error")).to_contain_text("Нет связи")
        expect(page.locator("#id_gallery_size")).to_have_value("29")

    def test_a_refresh_does_not_leave_while_somebody_types(self) -> None:
        self.tolerate("status of 401|Error Code 401")
        page = self.open_dashboard()
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

    def test_logging_out_leads_to_the_login_page(self) -> None:
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
        expect(page.get_by_role("link", name="Journal")).to_be_visible()
        page.get_by_role("button", name="Русский").click()
        expect(page.get_by_role("link", name="Журнал", exact=True)).to_be_visible()

    def test_light_and_dark_are_switched_and_kept(self) -> None:
        page = self.logged_in()
        page.locator(".theme-toggle").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        self.assertEqual(self.background(page), "rgb(18, 41, 31)")
        page.reload()
        self.assertEqual(self.background(page), "rgb(18, 41, 31)")

    def background(self, page: Page) -> str:
        shown = "getComputedStyle(document.querySelector('.slot')).backgroundColor"
        return str(page.evaluate(shown))
