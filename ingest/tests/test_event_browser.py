"""Settings, the event's page and capture as operators use them, on a server with a provider."""

import io

from PIL import Image
from playwright.sync_api import Page, expect

from ingest.booth.client import send_photo
from ingest.booth.form import BoothRequest
from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.console import PASSWORD as OWN_PASSWORD
from photochanger.testing.console import ConsoleTestCase
from providers import simulator

DESK = Look(DESKTOP)
SETTINGS, EVENT, CAPTURE = "/admin/slots/setting/", "/admin/event/", "/admin/capture/"
PAGES = {"settings": SETTINGS, "event": EVENT, "capture": CAPTURE}


def photo() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()


class EventBrowserTests(ConsoleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        provider = cls.enterClassContext(simulator.running())
        cls.site.env["GEMINI_BASE_URL"] = provider.url
        cls.server = cls.enterClassContext(cls.site.server())  # one that talks to it

    def at(self, path: str, look: Look = DESK) -> Page:
        page = self.page(look)
        self.log_in(page, path)
        return page

    def setting(self, key: str) -> str:
        return str(self.site.rows(f"SELECT value FROM settings WHERE key = '{key}'")[0][0])

    def booth(self, password: str | None = None) -> int | None:
        """The booth in software sends a photo; the answer's status."""
        request = BoothRequest(
            url=self.server.url,
            slot="slot-001",
            photo=photo(),
            password=password or self.site.password,
            timeout_s=120,
        )
        return send_photo(request).status

    def wait_for_checks(self, page: Page) -> None:
        expect(page.locator(".check.busy")).to_have_count(0)

    def test_the_pages_are_good_on_phones_and_desks_by_day_and_night(self) -> None:
        for look in LOOKS:
            page = self.at(SETTINGS, look)
            for name, path in PAGES.items():
                with self.subTest(look=str(look), page=name):
                    page.goto(path)
                    self.wait_for_checks(page)
                    self.screenshot(page, name, look, full_page=True)
                    assert_accessible(page)
                    assert_nothing_is_cut_off(page)

    def test_each_setting_is_saved_and_a_toast_says_so(self) -> None:
        page = self.at(SETTINGS)
        slider = page.get_by_role("slider")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        expect(page.locator("#id_sync_response_seconds")).to_have_value("45")
        expect(page.locator("#booth-timeout")).to_have_text("55")
        page.locator("#id_sync_response_seconds").fill("30")
        expect(slider).to_have_value("30")
        numbers = {
            "result_ttl_hours": 24,
            "gallery_size": 12,
            "max_jobs_per_slot": 7,
            "max_jobs_per_provider": 21,
        }
        for name, value in numbers.items():
            page.locator(f"#id_{name}").fill(str(value))
        page.get_by_label("Галереи всех слотов").select_option("closed")
        page.get_by_label("На такое же фото отвечать").uncheck()
        page.get_by_label("Хэш фото").select_option("off")
        page.locator("#id_key_of_turbotext").fill("a-key-of-turbotext")
        page.locator("#save").click()
        expect(page.locator("#toasts .success")).to_contain_text("Настройки сохранены")
        expect(page.locator("#id_sync_response_seconds")).to_have_value("30")
        for name, value in numbers.items():
            expect(page.locator(f"#id_{name}")).to_have_value(str(value))
            self.assertEqual(self.setting(name), str(value))
        self.assertEqual(self.setting("galleries"), '"closed"')
        self.assertEqual(self.setting("replay_by_hash"), "false")
        self.assertEqual(self.setting("hash_check"), '"off"')
        expect(page.locator("#key-turbotext")).to_contain_text("введён здесь")
        self.assertNotIn("a-key-of-turbotext", page.content())
        page.locator("#key-turbotext").get_by_role("button", name="Удалить").click()
        page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
        expect(page.locator("#key-turbotext")).to_contain_text("ключ не задан")
        page.get_by_label("Галереи всех слотов").select_option("open")
        page.get_by_label("На такое же фото отвечать").check()
        page.locator("#save").click()
        expect(page.locator("#toasts .success").last).to_contain_text("Настройки сохранены")

    def test_wrong_input_is_shown_at_its_field(self) -> None:
        page = self.at(SETTINGS)
        page.locator("#id_sync_response_seconds").fill("61")
        page.locator("#id_gallery_size").fill("0")
        page.locator("#id_key_of_gemini").fill("two words")
        page.locator("#save").click()
        expect(page.locator("#id_sync_response_seconds_error")).to_be_visible()
        expect(page.locator("#id_sync_response_seconds")).to_be_focused()
        expect(page.locator("#id_sync_response_seconds")).to_have_value("61")
        assert_accessible(page)
        self.screenshot(page, "settings-wrong", DESK, full_page=True)

    def test_a_password_is_made_shown_once_and_saved_after_a_yes(self) -> None:
        page = self.at(SETTINGS)
        page.get_by_role("button", name="Придумать").click()
        made = page.locator("#id_ingest_password").input_value()
        self.assertRegex(made, r"^[a-km-z2-9]{10}$")
        expect(page.locator("#id_ingest_password")).to_have_attribute("type", "text")
        expect(page.locator("#once")).to_contain_text("введите его в каждую фотобудку")
        page.locator("#save").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Сменить пароль фотобудки?")
        assert_accessible(page)
        self.screenshot(page, "settings-asks", DESK)
        dialog.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#toasts .success")).to_contain_text("Настройки сохранены")
        self.assertNotIn(made, page.content())
        self.assertEqual(self.booth(), 401)
        self.assertEqual(self.booth(made), 200)
        self.site.execute("DELETE FROM settings WHERE key = 'ingest_password_hash'")

    def test_an_administrator_reads_the_password_again_and_prints_it(self) -> None:
        for look in LOOKS:
            page = self.at(EVENT, look)
            page.get_by_role("link", name="Показать").first.click()
            page.wait_for_url("**/admin/booth-passwords/")
            own = page.get_by_label("Ваш собственный пароль от консоли")
            own.fill("not mine")
            page.get_by_role("button", name="Показать пароли").click()
            expect(page.get_by_role("alert")).to_contain_text("Это не ваш пароль")
            assert_accessible(page)
            own.fill(OWN_PASSWORD)
            page.get_by_role("button", name="Показать пароли").click()
            expect(page.locator("#common-password")).to_have_value(self.site.password)
            expect(page.locator(".booth .secret").first).to_have_text(self.site.password)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            self.screenshot(page, "booth-passwords", look, full_page=True)
        page.emulate_media(media="print")
        expect(page.locator("code.secret").first).to_be_visible()
        self.screenshot(page, "booth-passwords-print", look, full_page=True)

    def test_a_key_is_checked_typed_or_stored(self) -> None:
        page = self.at(SETTINGS)
        check, result = page.locator("#check-gemini"), page.locator("#checked-gemini")
        check.click()
        expect(result).to_contain_text("Сервис принимает этот ключ")
        page.locator("#id_key_of_gemini").fill("bad-key-of-nobody")
        check.click()
        expect(result.locator(".fail")).to_contain_text("не принял этот ключ")
        self.screenshot(page, "settings-key", DESK, full_page=True)
        assert_accessible(page)
        page.locator("#check-turbotext").click()
        expect(page.locator("#checked-turbotext")).to_contain_text("Ключ не задан")

    def test_the_cache_is_cleaned_with_a_hint_and_a_toast(self) -> None:
        self.add_result(b"x" * 2000, minutes_ago=60 * 80)
        page = self.at(SETTINGS)
        hint = "Удаляются только устаревшие результаты; последний обработанный файл останется"
        expect(page.locator("#cache-hint")).to_contain_text(hint)
        page.locator("#clean-cache").click()
        page.get_by_role("dialog").get_by_role("button", name="Очистить").click()
        toasts = page.locator("#toasts li")
        planned = "Очистка запланирована: будут удалены только устаревшие результаты"
        expect(toasts.first).to_contain_text(planned)
        expect(toasts.last).to_contain_text("устаревший файл")
        expect(page.locator("#cleaned")).to_contain_text("serg")

    def test_the_event_page_runs_checks_and_shows_what_to_type(self) -> None:
        page = self.at(EVENT)
        self.wait_for_checks(page)
        for name in ("key-gemini", "models", "quota", "storage", "clock", "password"):
            expect(page.locator(f"#check-{name}")).to_have_class("check ok")
        expect(page.locator("#link-slot-001")).to_have_value(f"{self.server.url}/ingest/slot-001")
        page.get_by_role("button", name="Проверить slot-001").click()
        expect(page.locator(".trial-result").first).to_contain_text("Картинка пришла через")
        after = page.locator(".trial .compare .after").first
        expect(after).to_be_visible()
        for picture in page.locator(".compare img").all():
            expect_drawn(picture)
        assert_accessible(page)
        self.screenshot(page, "event-trial", DESK, full_page=True)
        page.emulate_media(media="print")
        expect(page.locator("code.printed").first).to_be_visible()
        expect(page.locator("#header")).to_be_hidden()
        self.screenshot(page, "event-print", DESK, full_page=True)

    def test_all_slots_are_tested_one_after_the_other_once_it_was_confirmed(self) -> None:
        page = self.at(EVENT)
        page.get_by_role("button", name="Проверить все (фото: 4)").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Будет отправлено фото: 4.")
        dialog.get_by_role("button", name="Проверить").click()
        expect(page.locator(".trial .compare")).to_have_count(4)
        expect(page.locator("#tested")).to_have_text("")

    def test_the_links_are_measured_and_it_says_what_to_set(self) -> None:
        for look in LOOKS:
            page = self.at(EVENT, look)
            page.get_by_role("button", name="Измерить").click()
            expect(page.locator("[data-booth]")).to_contain_text("Мбит/с")
            expect(page.locator("[data-service]")).to_contain_text("подготовленное фото уходит")
            expect(page.locator("#measure")).to_be_enabled()
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            page.locator("#links").scroll_into_view_if_needed()
            self.screenshot(page, "event-links", look)
        page.route("**/event/link/*", lambda route: route.abort())
        self.tolerate("ERR_FAILED")
        page.locator("#measure").click()
        expect(page.locator("[data-booth]")).to_contain_text("Сервер не ответил")

    def test_a_check_without_an_answer_says_so(self) -> None:
        self.tolerate("ERR_FAILED|htmx:sendError")
        page = self.at(CAPTURE)
        page.route("**/event/check/disk/", lambda route: route.abort())
        page.goto(EVENT)
        expect(page.locator("#check-disk")).to_contain_text("сервер не ответил")

    def test_a_captured_request_appears_by_itself(self) -> None:
        page = self.at(SETTINGS)
        page.clock.install()
        page.goto(CAPTURE)
        page.get_by_label("Сколько запросов").fill("2")
        page.get_by_role("button", name="Начать").click()
        expect(page.locator("#capture-words")).to_contain_text("Ждём ещё 2 запроса из 2")
        self.assertEqual(self.booth("wrong-guess-7"), 401)
        page.clock.run_for(3500)
        seen = page.locator("#seen > .sheet")
        expect(seen).to_have_count(1)
        expect(seen.first).to_contain_text("пришёл, но неверный")
        self.assertEqual(self.booth(), 200)
        page.clock.run_for(3500)
        expect(seen).to_have_count(2)
        expect(seen.first).to_contain_text("fileToUpload")
        expect(page.locator("#capture-words")).to_contain_text("Запись закончена")
        for secret in (self.site.password, "wrong-guess-7"):
            self.assertNotIn(secret, page.content())
        assert_accessible(page)
        self.screenshot(page, "capture-seen", DESK, full_page=True)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert_nothing_is_cut_off(page)
        assert_accessible(page)
        self.screenshot(page, "capture-seen", Look(PHONE), full_page=True)
        page.get_by_role("button", name="Удалить").click()
        page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
        expect(page.locator("#seen > .sheet")).to_have_count(0)
