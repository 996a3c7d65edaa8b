"""A slot's trial and its history as operators use them, in a real browser."""

import io
import json
from typing import ClassVar

from PIL import Image
from playwright.sync_api import Page, expect

from photochanger.testing import live
from photochanger.testing.browser import (
    LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.console import DESK, ConsoleTestCase

SLOT = "/admin/slots/slot/slot-001/change/"
HISTORY = "/admin/slots/slot/slot-002/history/"
LONG = "Поставь гостей на палубу парусника в открытом море. Лица, руки и фигуры остаются как есть."

CHANGES = f"""
from slots.editing import change_slot
from slots.settings_editing import save_settings
from slots.schemas import SettingsIn, SlotIn
change_slot("slot-002", SlotIn(settings={{"prompt": "{LONG}"}}, display_name="Регата"), by="serg")
other = "{LONG}".replace("парусника", "яхты")
change_slot("slot-002", SlotIn(settings={{"prompt": other}}, size_limit_mb=12), by="serg")
change_slot("slot-002", SlotIn(ingest_password="a-secret", gallery_enabled=False), by="serg")
save_settings(SettingsIn(sync_response_seconds=40, ingest_password="b-secret"), by="serg")
"""


def png(width: int = 600, height: int = 400) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, "PNG")
    return out.getvalue()


class SlotWorkTests(ConsoleTestCase):
    provider: ClassVar[live.Simulator]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = cls.enterClassContext(cls.site.simulator(plain=False))
        cls.server = cls.enterClassContext(cls.site.server())  # one that knows the simulator
        cls.site.manage("shell", "--verbosity", "0", "-c", CHANGES)

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def slot_page(self, look: Look = DESK, *, prompt: str = "A nebula") -> Page:
        page = self.logged_in(look)
        page.goto(SLOT)
        self.type_prompt(page, prompt)
        return page

    def type_prompt(self, page: Page, prompt: str) -> None:
        page.locator('[id="settings.prompt"]').fill(prompt)

    def run_trial(self, page: Page) -> None:
        page.get_by_role("button", name="Протестировать").click()

    def assert_good(self, page: Page, name: str, look: Look) -> None:
        assert_accessible(page)
        assert_nothing_is_cut_off(page)
        page.locator("#trial-title").scroll_into_view_if_needed()
        self.screenshot(page, name, look, full_page=True)

    def test_the_unsaved_form_is_tried_and_compared_before_and_after(self) -> None:
        for look in LOOKS:
            page = self.slot_page(look)
            self.run_trial(page)
            expect(page.get_by_role("heading", name="Картинка готова за")).to_be_visible()
            expect(page.get_by_text("Картинка пришла.")).to_be_visible()
            for picture in page.locator(".compare img").all():
                expect_drawn(picture, wider_than=100)
            self.assert_good(page, "trial-done", look)
        saved = self.site.rows("SELECT settings FROM slot WHERE id = 'slot-001'")
        self.assertEqual(saved, [('{"prompt": "A nebula"}',)])

    def test_an_own_photo_is_compared_by_mouse_and_keyboard(self) -> None:
        page = self.slot_page()
        file = {"name": "hall.png", "mimeType": "image/png", "buffer": png()}
        page.locator("#trial-file").set_input_files(file)
        expect(page.locator("#trial-name")).to_have_text("hall.png")
        self.run_trial(page)
        before = page.get_by_alt_text("До")
        expect(before).to_have_js_property("naturalWidth", 600)
        expect_drawn(page.locator(".compare .after"))  # until then its frame has another height
        slider = page.get_by_role("slider")
        frame = page.locator(".compare").bounding_box()
        assert frame
        page.mouse.click(frame["x"] + frame["width"] * 0.2, frame["y"] + frame["height"] / 2)
        self.assertAlmostEqual(float(slider.input_value()), 20, delta=4)
        slider.press("End")
        seen = page.locator(".compare").evaluate("one => one.style.getPropertyValue('--at')")
        self.assertEqual(seen, "100%")
        with page.expect_download() as download:
            page.get_by_role("link", name="Скачать").click()
        self.assertRegex(download.value.suggested_filename, r"\.jpg$")
        page.get_by_role("button", name="Удалить").click()
        expect(page.locator("#trial-name")).to_have_text("портрет-образец")

    def test_saving_keeps_the_own_photo_and_the_result_of_its_test(self) -> None:
        page = self.slot_page(prompt="A galaxy")
        file = {"name": "hall.png", "mimeType": "image/png", "buffer": png()}
        page.locator("#trial-file").set_input_files(file)
        self.run_trial(page)
        expect(page.get_by_text("Картинка пришла.")).to_be_visible()
        for name in ("Бал", "Бал в полночь"):
            page.locator("#id_display_name").fill(name)
            page.get_by_role("button", name="Сохранить").click()
            expect(page.locator("h1")).to_have_text(name)
            expect(page.locator("#trial-name")).to_have_text("hall.png")
            expect(page.get_by_alt_text("До")).to_have_js_property("naturalWidth", 600)
        page.locator("#id_size_limit_mb").fill("99")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#id_size_limit_mb")).to_be_focused()
        expect(page.get_by_text("Картинка пришла.")).to_be_visible()
        page.locator("#id_size_limit_mb").fill("15")
        self.run_trial(page)  # with the photo that is still there
        expect(page.get_by_text("Картинка пришла.")).to_be_visible()
        self.type_prompt(page, "A nebula")
        page.get_by_role("button", name="Сохранить").click()
        expect(page.locator("#save-state")).to_contain_text("Сохранено: ")

    def test_an_unsuitable_file_is_refused_before_it_is_sent(self) -> None:
        page = self.slot_page()
        page.locator("#id_size_limit_mb").fill("1")
        for name, mime, body, words in (
            ("film.gif", "image/gif", b"GIF89a", "Подойдут только JPG, PNG и WEBP."),
            ("big.jpg", "image/jpeg", b"x" * 1100000, "Файл больше, чем позволяет слот."),
        ):
            file = {"name": name, "mimeType": mime, "buffer": body}
            page.locator("#trial-file").set_input_files(file)
            expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
            expect(page.locator("#trial-name")).to_have_text("портрет-образец")

    def test_a_failed_trial_shows_each_call_with_its_reason(self) -> None:
        look = LOOKS[0]
        page = self.slot_page(look, prompt="x [sim:no-image]")
        page.locator("#id_sync_response_seconds").fill("10")
        self.run_trial(page)
        failed = page.locator(".trial-failed")
        expect(failed).to_contain_text("без пригодной картинки")
        self.assertGreater(page.locator(".trial-calls li").count(), 1)
        expect(page.locator(".trial-calls li").first).to_contain_text("NO_IMAGE")
        self.assert_good(page, "trial-failed", look)

    def test_form_errors_are_shown_at_their_fields(self) -> None:
        page = self.slot_page()
        page.locator("#id_size_limit_mb").fill("99")
        self.run_trial(page)
        expect(page.locator(".trial-failed")).to_contain_text("не больше 20")
        self.assert_good(page, "trial-wrong", DESK)
        page.get_by_role("link", name="Предел размера, МБ").click()
        expect(page.locator("#id_size_limit_mb")).to_be_focused()
        page.locator("#id_size_limit_mb").fill("15")
        self.type_prompt(page, "")
        self.run_trial(page)
        page.get_by_role("link", name="Промпт").click()
        expect(page.locator('[id="settings.prompt"]')).to_be_focused()

    def test_seconds_count_while_a_trial_runs_and_it_cannot_start_twice(self) -> None:
        page = self.slot_page(prompt="x [sim:slow=3]")
        page.locator("#id_sync_response_seconds").fill("11")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method))
        self.run_trial(page)
        page.locator("#trial-run").click(force=True)
        expect(page.locator("#trial-s")).to_have_text("1")
        expect(page.locator("#trial-running")).to_contain_text("с из 11")
        assert_accessible(page)
        self.screenshot(page, "trial-runs", DESK)
        expect(page.get_by_text("Картинка пришла.")).to_be_visible()
        expect(page.locator("#trial-running")).to_be_hidden()
        self.assertEqual(sent.count("POST"), 1)

    def test_an_expired_session_or_lost_connection_loses_no_input(self) -> None:
        self.tolerate(
            "status of 401|Error Code 401|ERR_INTERNET_DISCONNECTED|htmx:(sendError|after)"
        )
        page = self.slot_page(prompt="Typed for long")
        page.route("**/try/", lambda route: route.abort("internetdisconnected"))
        self.run_trial(page)
        expect(page.get_by_text("Сервер не ответил.")).to_be_visible()
        page.unroute("**/try/")
        page.context.clear_cookies(name="sessionid")
        self.run_trial(page)
        expect(page.locator("#asks-to-log-in")).to_be_visible()
        expect(page.locator('[id="settings.prompt"]')).to_have_value("Typed for long")

    def test_a_page_in_english_is_english(self) -> None:
        page = self.slot_page()
        page.get_by_role("button", name="English").click()
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("A picture came.")).to_be_visible()
        self.screenshot(page, "trial-en", DESK, full_page=True)

    def test_an_earlier_version_is_restored_after_its_changes_were_shown(self) -> None:
        page = self.logged_in()
        page.goto(SLOT.replace("slot-001", "slot-002"))
        page.get_by_role("link", name="История").first.click()
        page.get_by_role("link", name="Вернуть версию 2").click()
        expect(page.locator("ins").filter(has_text="парусника")).to_be_visible()
        self.assertIn("яхты", self.prompt())
        for look in LOOKS:
            other = self.logged_in(look)
            other.goto(page.url)
            assert_accessible(other)
            assert_nothing_is_cut_off(other)
            self.screenshot(other, "restore", look, full_page=True)
        page.get_by_role("button", name="Вернуть").click()
        expect(page.locator("#toasts li")).to_contain_text("Снова как было")
        expect(page.get_by_text("возвращена версия 2")).to_be_visible()
        self.assertIn("парусника", self.prompt())

    def test_history_and_audit_pages_are_accessible_in_every_size_and_theme(self) -> None:
        for look in LOOKS:
            page = self.logged_in(look)
            for name, path in {"history": HISTORY, "audit": "/admin/audit/"}.items():
                with self.subTest(look=str(look), page=name):
                    page.goto(path)
                    assert_accessible(page)
                    assert_nothing_is_cut_off(page)
                    self.screenshot(page, name, look, full_page=True)

    def test_changes_are_found_by_who_what_and_day(self) -> None:
        page = self.logged_in()
        page.locator("#navigation-more").click()
        page.get_by_role("link", name="Изменения").click()
        page.get_by_label("Что").select_option(label="Настройки")
        page.get_by_role("button", name="Показать").click()
        expect(page.locator(".entries > li")).to_have_count(1)
        expect(page.locator(".entries")).to_contain_text("40")
        page.get_by_role("link", name="Все", exact=True).click()
        page.get_by_label("День").fill("2020-01-01")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Таких изменений нет.")).to_be_visible()

    def prompt(self) -> str:
        rows = self.site.rows("SELECT settings FROM slot WHERE id = 'slot-002'")
        return str(json.loads(rows[0][0])["prompt"])
