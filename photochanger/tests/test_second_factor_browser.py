"""Setting up a second factor with a phone that reads the QR code, and logging in with it."""

import io
import time
from urllib.parse import parse_qs, urlsplit

import pyotp
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import PASSWORD, ConsoleTestCase

PAGE = "/admin/second-factor/"


class SecondFactorTests(ConsoleTestCase):
    def tearDown(self) -> None:
        self.site.execute("DELETE FROM second_factor")
        self.session.clear()
        super().tearDown()

    has_script = True

    def test_it_is_set_up_used_and_removed(self) -> None:
        for look in LOOKS:
            with self.subTest(look=str(look)):
                self.walk_through(look)

    def test_no_script_is_needed(self) -> None:
        self.has_script = False
        self.walk_through(Look(PHONE))

    def walk_through(self, look: Look) -> None:
        self.site.execute("DELETE FROM second_factor")
        page = self.page(look, java_script_enabled=self.has_script)
        page.goto("/admin/login/?next=" + PAGE)
        self.enter(page)
        secret = self.scan(page, look)
        codes = self.set_up(page, look, secret)
        self.log_in_again(page, look, pyotp.TOTP(secret).at(time.time(), counter_offset=1))
        self.remove(page, look, codes[0])
        page.close()  # the next one's second factor ends this session

    def scan(self, page: Page, look: Look) -> str:
        """What the phone's app learns from the picture."""
        self.judge(page, look, "second-factor-new")
        seen = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        (found,) = zxingcpp.read_barcodes(seen)
        told = urlsplit(found.text)
        self.assertEqual((told.scheme, told.netloc), ("otpauth", "totp"))
        return parse_qs(told.query)["secret"][0]

    def set_up(self, page: Page, look: Look, secret: str) -> list[str]:
        page.get_by_label("Ваш собственный пароль").fill(PASSWORD)
        page.get_by_label("Шесть цифр").fill("abc")
        page.get_by_role("button", name="Подключить").click()
        expect(page.get_by_role("alert")).to_contain_text("Код неверен")
        self.judge(page, look, "second-factor-wrong")
        page.get_by_label("Ваш собственный пароль").fill(PASSWORD)
        page.get_by_label("Шесть цифр").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Подключить").click()
        codes = page.locator(".recovery code")
        expect(codes).to_have_count(10)
        self.judge(page, look, "second-factor-codes")
        return codes.all_inner_texts()

    def log_in_again(self, page: Page, look: Look, code: str) -> None:
        page.goto("about:blank")  # or the page would ask on without its session
        page.context.clear_cookies()
        page.goto(f"/admin/login/?next={PAGE}")
        self.enter(page)
        page.wait_for_url("**/login/code/")
        expect(page.get_by_label("Шесть цифр")).to_be_focused()
        page.keyboard.type("000")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Код неверен")
        self.judge(page, look, "login-code")
        page.get_by_label("Шесть цифр").fill(code)
        page.get_by_role("button", name="Войти").click()
        page.wait_for_url(f"**{PAGE}")
        self.judge(page, look, "second-factor-on")

    def remove(self, page: Page, look: Look, recovery_code: str) -> None:
        page.get_by_label("Ваш собственный пароль").fill(PASSWORD)
        page.get_by_label("Шесть цифр").fill(recovery_code)
        page.get_by_role("button", name="Отключить второй фактор").click()
        expect(page.get_by_role("heading", name="Не настроен")).to_be_visible()

    def judge(self, page: Page, look: Look, name: str) -> None:
        if not self.has_script:
            return  # axe is a script
        page.wait_for_load_state("networkidle")
        self.screenshot(page, name, look, full_page=True)
        assert_accessible(page)
        assert_nothing_is_cut_off(page)
