"""The form of letters on a guest's page, and the console's page of e-mail, in a browser."""

from playwright.sync_api import expect

from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    OTHER_LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import ConsoleTestCase
from photochanger.testing.sample_photos import sight

SERVER = (
    "from slots.letters.access import MailAccess, save_mail_server;"
    "save_mail_server(MailAccess(host='127.0.0.1', port=1, security='none',"
    " sender='booth@example.com'), serves_guests=True, by='serg')"
)


class LetterPageTests(ConsoleTestCase):
    public_address = "https://photos.example"

    def setUp(self) -> None:
        super().setUp()
        self.site.manage("shell", "--verbosity", "0", "-c", SERVER)
        self.addCleanup(self.site.execute, "DELETE FROM mail_server")
        self.addCleanup(self.site.execute, "DELETE FROM guest_letter")

    def test_a_guest_orders_a_letter_without_scripts_and_sees_what_is_wrong(self) -> None:
        self.tolerate("400 .Bad Request")
        job = self.add_result(sight(1))
        for look in (*LOOKS, *OTHER_LOOKS):
            with self.subTest(look=str(look)):
                self.site.execute("DELETE FROM guest_letter")
                page = self.open(f"/public/results/{job}/page", look, java_script_enabled=False)
                form = page.locator("form.letter")
                form.scroll_into_view_if_needed()
                self.screenshot(page, "guest-letter", look)
                form.get_by_label("Отправить на почту").fill("anna@localhost")
                form.get_by_role("checkbox").check()
                form.get_by_role("button", name="Отправить").click()
                expect(page.get_by_role("alert")).to_contain_text("Это не адрес почты")
                self.screenshot(page, "guest-letter-wrong", look)
                page.get_by_label("Отправить на почту").fill("anna@example.com")
                page.get_by_role("button", name="Отправить").click()
                expect(page.get_by_role("heading", level=1)).to_have_text("Фото отправляется")
                self.screenshot(page, "guest-letter-ordered", look)
                page.get_by_role("link", name="Назад к фото").click()
                expect(page.get_by_role("heading", level=1)).to_contain_text("Ваше фото")

    def test_its_pages_are_accessible(self) -> None:
        job = self.add_result(sight(2))
        for path in ("page", "letter"):
            for look in LOOKS:
                page = self.open(f"/public/results/{job}/{path}", look)
                expect(page.locator("form.letter")).to_be_visible()
                assert_accessible(page)
                assert_nothing_is_cut_off(page)

    def test_the_keyboard_is_enough(self) -> None:
        job = self.add_result(sight(3))
        page = self.open(f"/public/results/{job}/letter")
        page.get_by_label("Отправить на почту").focus()
        page.keyboard.type("anna@example.com")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Фото отправляется")

    def test_the_console_tells_of_letters_by_day_and_night(self) -> None:
        job = self.add_result(sight(4))
        guest = self.open(f"/public/results/{job}/letter")
        guest.get_by_label("Отправить на почту").fill("anna@example.com")
        guest.get_by_role("checkbox").check()
        guest.get_by_role("button", name="Отправить").click()
        expect(guest.get_by_role("heading", level=1)).to_have_text("Фото отправляется")
        for look in (Look(DESKTOP), *LOOKS):
            page = self.logged_in(look)
            page.goto("/admin/mail/")
            expect(page.locator("#letters")).to_contain_text("a···@example.com")
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            self.screenshot(page, "console-mail", look)
