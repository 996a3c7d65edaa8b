"""Alerts in the console: title and icon, recipients, tests, what could not be delivered."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.waiting import wait_until
from stats.tests.watch_support import CHAT, TOKEN, TelegramServer, telegram


class AlertsBrowserTests(ConsoleTestCase):
    telegram: TelegramServer

    def setUp(self) -> None:
        super().setUp()
        self.telegram = self.enterContext(telegram())
        for table in ("alert_message_alert", "alert_message", "alert", "alert_recipient"):
            self.site.execute(f"DELETE FROM {table}")
        self.site.execute("DELETE FROM watch_lease")
        self.site.execute("DELETE FROM job_history")

    @contextmanager
    def watch(self) -> Iterator[None]:
        self.enterContext(self.site.simulator())
        env = self.site.env | {"TELEGRAM_BASE_URL": self.telegram.url}
        with (self.site.logs / "watch.log").open("ab") as log:
            command = [sys.executable, "manage.py", "watch", "--beside", str(os.getpid())]
            process = subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            self.assertEqual(process.wait(60), 0)

    def add_anna(self, page: Page, chat: str = CHAT) -> None:
        page.goto("/admin/alerts/")
        page.get_by_role("link", name="Добавить Telegram").click()
        page.get_by_label("Получатель").fill("Анна")
        page.get_by_label("Токен бота").fill(TOKEN)
        page.get_by_label("Номер чата").fill(chat)
        page.get_by_role("button", name="Сохранить").click()
        page.wait_for_url("**/admin/alerts/")

    def test_without_a_watch_pages_tell_trouble_and_that_nobody_watches(self) -> None:
        page = self.logged_in()
        expect(page.get_by_text("Никто не следит")).to_be_visible()
        for number in range(3):
            self.add_job("slot-002", ago_s=5 + number, reason="network")
        page.goto("/admin/audit/")
        expect(page).to_have_title("(1!) Изменения — PhotoChanger")
        icon = page.locator("link[rel=icon]")
        expect(icon).to_have_attribute("href", re.compile("icon-alarm"))
        expect(page.locator(".alarm-bar").first).to_contain_text("slot-002")
        self.add_job("slot-002", ago_s=1)
        expect(page).to_have_title("Изменения — PhotoChanger")
        expect(icon).to_have_attribute("href", re.compile("guest/icon"))

    def test_from_a_new_recipient_to_a_message_in_their_hand(self) -> None:
        page = self.logged_in()
        with self.watch():
            self.add_anna(page)
            expect(page.locator("#watch")).to_contain_text("Наблюдение работает")
            page.get_by_role("button", name="Отправить пробное").click()
            expect(page.locator("#recipients")).to_contain_text("Проба: доставлено")
            self.assertEqual(len(self.telegram.texts), 1)
            for number in range(3):
                self.add_job("slot-002", ago_s=5 + number, reason="network")
            expect(page.locator("#open-alerts")).to_contain_text("slot-002")
            expect(page.locator("#recipients")).to_contain_text("Что-то не так: доставлено")
            expect(page).to_have_title("(1!) Оповещения — PhotoChanger")
            for look in (*LOOKS, *OTHER_LOOKS):
                other = self.logged_in(look)
                other.goto("/admin/alerts/")
                expect(other.locator(".alarm-bar").first).to_be_visible()
                assert_accessible(other)
                assert_nothing_is_cut_off(other)
                self.screenshot(other, "alerts", look, full_page=True)
        self.assertIn("slot-002", self.telegram.texts[1])

    def test_what_is_not_delivered_is_shown_with_its_reason_and_can_be_sent_again(self) -> None:
        page = self.logged_in()
        with self.watch():
            self.add_anna(page)
            self.telegram.is_down = True
            for number in range(3):
                self.add_job("slot-002", ago_s=5 + number, reason="network")
            waiting = page.locator("#waiting")
            expect(waiting).to_contain_text("HTTP 502: Bad Gateway")
            assert_accessible(page)
            self.screenshot(page, "alerts-waiting", DESK, full_page=True)
            self.telegram.is_down = False
            waiting.get_by_role("button", name="Отправить сейчас").click()
            expect(waiting).to_be_hidden()
        self.assertEqual(len(self.telegram.texts), 1)

    def test_secrets_never_come_back_to_the_page_and_stay_when_left_empty(self) -> None:
        page = self.logged_in()
        self.add_anna(page)
        stored = self.stored_address()
        self.assertNotIn(TOKEN, str(stored))
        page.get_by_role("link", name="Изменить").click()
        self.assertNotIn(TOKEN, page.content())
        self.assertNotIn(CHAT, page.content())
        page.get_by_label("Тихо с").fill("23:00")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#row-quiet_until .error")).to_be_visible()
        for look in LOOKS:
            other = self.logged_in(look)
            other.goto(page.url)
            assert_accessible(other)
            assert_nothing_is_cut_off(other)
            self.screenshot(other, "alerts-recipient", look, full_page=True)
        page.get_by_label("Тихо до").fill("08:00")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#recipients")).to_contain_text("тихо 23:00–08:00")
        page.get_by_role("button", name="Удалить").click()
        page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
        expect(page.locator("#recipients")).to_contain_text("Никому")

    def stored_address(self) -> Any:
        return self.site.rows("SELECT address, shown_as FROM alert_recipient")

    def test_wrong_fields_say_what_is_wrong(self) -> None:
        page = self.logged_in(Look())
        page.goto("/admin/alerts/new/telegram/")
        page.get_by_label("Токен бота").fill("token")
        page.get_by_label("Номер чата").fill("Анна")
        page.get_by_role("button", name="Сохранить").click()
        for row in ("name", "token", "chat"):
            expect(page.locator(f"#row-{row} .error")).to_be_visible()
        page.goto("/admin/alerts/new/email/")
        page.get_by_label("Кому").fill("anna@")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#row-to .error")).to_be_visible()
        assert_accessible(page)

    def test_a_notification_of_the_browser_comes_once_for_each_trouble(self) -> None:
        page = self.logged_in(permissions=["notifications"])
        page.add_init_script(
            """window.shown = JSON.parse(sessionStorage.getItem("shown") || "[]");
            window.Notification = class extends EventTarget {
              static permission = "granted";
              static requestPermission = async () => "granted";
              constructor(title, options) {
                super();
                window.shown.push(options.body);
                sessionStorage.setItem("shown", JSON.stringify(window.shown));
              }
            };"""
        )
        page.goto("/admin/alerts/")
        page.get_by_label("уведомление браузера").check()
        for number in range(3):
            self.add_job("slot-002", ago_s=5 + number, reason="network")
        wait_until(lambda: page.evaluate("window.shown.length") == 1, every_s=0.3)
        page.reload()
        expect(page.locator(".alarm-bar").first).to_contain_text("slot-002")
        self.assertEqual(page.evaluate("window.shown.length"), 1)
        self.assertIn("slot-002", page.evaluate("window.shown[0]"))
