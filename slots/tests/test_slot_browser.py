"""The page of a slot as operators use it, in a real browser."""

import io
import json
import re
import time
from typing import Any

from PIL import Image
from playwright.sync_api import Dialog, Page, expect

from photochanger.testing.browser import LOOKS, PHONE, Look, assert_accessible
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import DESK, ConsoleTestCase
from photochanger.testing.waiting import PATIENCE_S

DROP = """async (zone, [bytes, names]) => {
  const dataTransfer = new DataTransfer();
  for (const name of names) {
    const type = name.endsWith("png") ? "image/png" : "text/plain";
    dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  }
  zone.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
}"""


def png() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((320, 240)).convert("RGB").save(out, "PNG")
    return out.getvalue()


class SlotPageTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def slot_page(self, number: int, look: Look = DESK, **options: Any) -> Page:
        page = self.logged_in(look, **options)
        page.goto(f"/admin/slots/slot/slot-{number:03}/change/")
        return page

    def prompt(self, page: Page) -> Any:
        return page.locator("[id='settings.prompt']")

    def stored(self, number: int) -> dict[str, Any]:
        (row,) = self.site.rows(f"SELECT settings FROM slot WHERE id = 'slot-{number:03}'")
        return dict(json.loads(row[0]))

    def save(self, page: Page) -> None:
        page.get_by_role("button", name="Сохранить", exact=True).click()

    def save_well(self, page: Page) -> None:
        """The page stays, so it is the version that tells when it is saved."""
        version = page.locator("[name=version]")
        before = version.input_value()
        self.save(page)
        expect(version).not_to_have_value(before)
        expect(page.locator("#toasts")).to_contain_text("Сохранено")

    def test_the_page_is_good_by_day_and_night_small_and_large(self) -> None:
        self.add_result(png())
        for look in LOOKS:
            page = self.slot_page(1, look)
            page.locator("#finer summary").click()
            page.locator("#toggle-second summary").click()
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "slot", look, full_page=True)
            page.context.close()
        for look in LOOKS:
            page = self.slot_page(2, look)
            page.goto("/admin/slots/slot/slot-002/copy/")
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "slot-copy", look, full_page=True)
        page.get_by_role("button", name="Скопировать в Летний бал").click()
        expect(page.locator("#ask")).to_contain_text("«Летний бал» сейчас принимает фото")

    def test_another_provider_and_back_keeps_what_was_typed_and_keys_are_enough(self) -> None:
        page = self.slot_page(2)
        self.prompt(page).fill("Typed for Gemini")
        page.locator("#provider-gemini").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#id_operation option")).to_have_count(3)
        expect(page.locator("#provider-turbotext")).to_be_focused()
        expect(self.prompt(page)).to_have_value("Typed for Gemini")
        self.prompt(page).fill("Typed for Turbotext")
        page.locator("#provider-turbotext").press("ArrowLeft")
        expect(page.locator("[id='settings.model']")).to_be_visible()
        expect(self.prompt(page)).to_have_value("Typed for Gemini")
        page.locator("#save").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Сохранено")
        self.assertEqual(self.stored(2), {"prompt": "Typed for Gemini"})

    def test_what_is_wrong_stands_at_its_field_and_is_mended_there(self) -> None:
        page = self.slot_page(3)
        self.prompt(page).fill("")
        page.locator("#id_size_limit_mb").fill("99")
        self.save(page)
        expect(page.locator(".errornote")).to_contain_text("Ничего не сохранено")
        expect(self.prompt(page)).to_be_focused()
        expect(page.locator("#id_size_limit_mb")).to_have_value("99")
        assert_accessible(page)
        self.screenshot(page, "slot-wrong", DESK, full_page=True)
        self.prompt(page).fill("Oil")
        page.locator("#id_size_limit_mb").fill("12")
        self.save_well(page)
        self.assertEqual(self.stored(3)["prompt"], "Oil")

    def test_the_list_of_mistakes_leads_to_each_of_them(self) -> None:
        page = self.slot_page(3, Look(PHONE))
        page.locator("#id_size_limit_mb").fill("99")
        page.locator("#id_sync_response_seconds").fill("5")
        self.save(page)
        expect(page.locator(".save-state")).to_contain_text("2 ошибки")
        page.get_by_role("link", name="Время ожидания, с").click()
        expect(page.locator("#id_sync_response_seconds")).to_be_focused()
        page.get_by_role("link", name="Предел размера, МБ").click()
        expect(page.locator("#id_size_limit_mb")).to_be_focused()
        expect(page.locator("#id_size_limit_mb")).to_be_in_viewport()
        assert_accessible(page)
        assert_fits(page)
        self.screenshot(page, "slot-mistakes", Look(PHONE))

    def test_a_missing_template_is_where_the_focus_goes(self) -> None:
        page = self.slot_page(3)
        page.locator("#provider-turbotext").check(force=True)
        expect(page.locator("#id_operation option")).to_have_count(3)
        page.locator("#id_operation").select_option("style_transfer")
        expect(page.locator("#needs")).to_contain_text("стиль")
        self.save(page)
        expect(page.locator(".errornote")).to_contain_text("шаблонная картинка")
        expect(page.locator("#second-summary")).to_be_focused()
        expect(page.locator("#template-drop")).to_be_visible()

    def test_the_bar_tells_what_is_saved_and_ctrl_s_saves_where_one_types(self) -> None:
        page = self.slot_page(4)
        state = page.locator("#save-state")
        self.prompt(page).fill("A nebula")
        self.save_well(page)
        version = int(page.locator("[name=version]").input_value())
        self.prompt(page).press("Home")
        page.keyboard.type("Rain, ")
        expect(state).to_have_text("Не сохранено")
        page.keyboard.press("Control+s")
        expect(state).to_contain_text("Сохранено: ")
        expect(page.locator("#toasts")).to_contain_text("Сохранено. Слот включён")
        expect(self.prompt(page)).to_be_focused()
        page.keyboard.type("and snow, ")
        page.keyboard.press("Control+s")
        expect(page.locator("[name=version]")).to_have_value(str(version + 2))
        self.assertEqual(self.stored(4), {"prompt": "Rain, and snow, A nebula"})
        page.keyboard.press("Control+z")
        expect(self.prompt(page)).not_to_have_value("Rain, and snow, A nebula")
        self.screenshot(page, "slot-bar", DESK)

    def test_what_is_typed_while_the_slot_is_saved_is_kept_and_not_called_saved(self) -> None:
        page = self.slot_page(4)
        page.locator("#id_display_name").fill("First")
        held = []
        page.route("**/change/", lambda route: held.append(route))
        page.keyboard.press("Control+s")
        expect(page.locator("#save")).to_have_attribute("aria-busy", "true")
        page.locator("#id_display_name").fill("Second")
        held[0].continue_()
        page.unroute("**/change/")
        expect(page.locator("h1")).to_have_text("First")
        expect(page.locator("#id_display_name")).to_have_value("Second")
        expect(page.locator("#save-state")).to_have_text("Не сохранено")
        page.keyboard.press("Control+s")
        expect(page.locator("h1")).to_have_text("Second")

    def test_a_save_that_is_not_answered_is_told_and_loses_nothing(self) -> None:
        self.tolerate("ERR_INTERNET_DISCONNECTED|status of 500|htmx:|Error Code 500")
        page = self.slot_page(4)
        page.locator("#id_display_name").fill("Half typed")
        page.route("**/change/", lambda route: route.abort("internetdisconnected"))
        self.save(page)
        expect(page.locator("#toasts")).to_contain_text("Сервер не ответил")
        page.unroute("**/change/")
        page.route("**/change/", lambda route: route.fulfill(status=500, body="broken"))
        self.save(page)
        expect(page.locator("#toasts")).to_contain_text("сломалось")
        expect(page.locator("#save-state")).to_have_text("Не сохранено")
        expect(page.locator("#id_display_name")).to_have_value("Half typed")

    def test_without_scripts_the_form_saves_as_any_form(self) -> None:
        self.logged_in().context.close()
        page = self.page(DESK, java_script_enabled=False)
        page.context.add_cookies(self.session)
        page.goto("/admin/slots/slot/slot-003/change/")
        self.prompt(page).fill("Without scripts")
        self.save(page)
        expect(page.locator("#save-state")).to_contain_text("Сохранено: ")
        self.assertEqual(self.stored(3), {"prompt": "Without scripts"})
        page.locator("#id_size_limit_mb").fill("99")
        self.save(page)
        expect(page.locator("#id_size_limit_mb")).to_be_focused()

    def test_template_pictures_come_by_file_and_by_drop_and_go_after_asking(self) -> None:
        page = self.slot_page(4)
        page.locator("#toggle-second summary").click()
        text = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no"}
        page.locator("#template-file").set_input_files(text)
        expect(page.locator("#template-wrong")).to_contain_text("JPG, PNG")
        file = {"name": "style.png", "mimeType": "image/png", "buffer": png()}
        page.locator("#template-file").set_input_files(file)
        expect(page.locator(".template")).to_have_count(1)
        page.locator("#template-drop").evaluate(DROP, [list(png()), ["dropped.png"]])
        expect(page.locator(".template")).to_have_count(2)
        self.screenshot(page, "slot-templates", DESK, full_page=True)
        self.save_well(page)
        page.locator("[data-removes]").first.click()
        page.locator("#ask-yes").click()
        expect(page.locator(".template:visible")).to_have_count(1)
        self.save_well(page)
        rows = self.site.rows("SELECT id FROM slot_template_media WHERE slot_id = 'slot-004'")
        self.assertEqual(len(rows), 1)

    def test_of_many_files_dropped_ten_are_taken_and_the_others_refused_by_name(self) -> None:
        page = self.slot_page(4)
        page.locator("#toggle-second summary").click()
        names = ["notes.txt", *(f"picture-{number}.png" for number in range(1, 13))]
        page.locator("#template-drop").evaluate(DROP, [list(png()), names])
        wrong = page.locator("#template-wrong")
        expect(wrong).to_contain_text("picture-11.png, picture-12.png")
        expect(wrong).to_contain_text("notes.txt: Подойдут только JPG")
        expect(page.locator(".template")).to_have_count(10)
        expect(page.locator("#template-drop")).not_to_have_attribute("aria-busy", "true")
        assert_accessible(page)
        self.screenshot(page, "slot-ten-templates", DESK, full_page=True)

    def test_what_is_needed_follows_the_choices_and_the_prompt_grows_and_counts(self) -> None:
        page = self.slot_page(2, Look(PHONE))
        count = page.locator(".count").first
        self.prompt(page).fill("Туманность 🚀")
        expect(count).to_have_text("12 из 4000 знаков")
        small = self.prompt(page).bounding_box()
        self.prompt(page).fill("Море, паруса и ветер.\n" * 60)
        expect(count).to_have_text("1320 из 4000 знаков")
        large = self.prompt(page).bounding_box()
        self.assertGreater(large["height"], 2 * small["height"])
        page.locator("#provider-turbotext").check(force=True)
        expect(page.locator("#id_operation option")).to_have_count(3)
        page.locator("#id_operation").select_option("style_transfer")
        expect(page.locator("#needs")).to_contain_text("второе изображение (стиль)")
        page.locator("#id_operation").select_option("identity_transfer")
        expect(page.locator("#needs")).to_contain_text("(основа или фон)")
        expect(page.locator("#template-drop")).to_be_visible()
        page.locator("#finer summary").click()
        page.locator("[id='settings.guest_is']").select_option("scene")
        expect(page.locator("#needs")).to_contain_text("(лицо)")
        assert_accessible(page)
        assert_fits(page)
        self.screenshot(page, "slot-needs", Look(PHONE), full_page=True)

    def test_the_second_of_two_is_warned_loses_nothing_and_may_take_over(self) -> None:
        self.tolerate("status of 409|Error Code 409")
        first, second = self.slot_page(1), self.slot_page(1)
        first.locator("#id_display_name").fill("Первый")
        self.save_well(first)
        second.locator("#id_display_name").fill("Второй")
        self.save(second)
        expect(second.locator("#conflict")).to_contain_text("Первый")
        expect(second.locator("#id_display_name")).to_have_value("Второй")
        assert_accessible(second)
        self.screenshot(second, "slot-conflict", DESK, full_page=True)
        second.get_by_role("button", name="Сохранить мои").click()
        expect(second.locator("#toasts")).to_contain_text("Сохранено")
        expect(second.locator("h1")).to_have_text("Второй")

    def test_nobody_leaves_by_mistake_and_a_lost_session_loses_nothing(self) -> None:
        self.tolerate("status of 40[13]|Error Code 403")
        page = self.slot_page(2)
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.locator("#id_display_name").fill("Half typed")
        page.get_by_role("link", name="История", exact=True).click()
        give_up = time.monotonic() + PATIENCE_S
        while not asked and time.monotonic() < give_up:
            page.wait_for_timeout(50)
        self.assertEqual(asked, ["beforeunload"])
        page.context.clear_cookies()
        self.save(page)
        expect(page.locator("#asks-to-log-in")).to_be_visible()
        expect(page.locator("#id_display_name")).to_have_value("Half typed")
        self.assertRegex(page.url, re.compile("slot-002/change"))
