"""The lab as an administrator uses it, in a real browser."""

import re
from typing import ClassVar

from playwright.sync_api import Page, expect

from ingest.lab.claims import AT_ONCE
from ingest.tests.support import jpeg
from photochanger.testing import live
from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase
from photochanger.testing.waiting import wait_until

LAB = "/admin/lab/"
OWN, LITE = "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"


def photo(name: str) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": jpeg()}


class LabPageTests(ConsoleTestCase):
    provider: ClassVar[live.Simulator]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = cls.enterClassContext(cls.site.simulator(plain=False))
        cls.server = cls.enterClassContext(cls.site.server())  # one that knows the simulator

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def open_draft(self, look: Look = DESK) -> Page:
        page = self.logged_in(look)
        page.goto(LAB)
        page.get_by_role("button", name="Новый прогон").click()
        expect(page.locator("h1")).to_have_text("Новый прогон")
        return page

    def choose(self, page: Page, value: str) -> None:
        box = page.locator(f'[name=recipe][value="{value}"]')
        if not box.is_visible():
            page.locator(f"#models-{value.partition(':')[0]} summary").click()
        box.check()

    def start(self, page: Page, *values: str) -> None:
        for value in values:
            self.choose(page, value)
        page.get_by_role("button", name="Начать").click()

    def assert_good(self, page: Page, name: str, look: Look) -> None:
        assert_accessible(page)
        assert_nothing_is_cut_off(page)
        self.screenshot(page, name, look, full_page=True)

    def test_photos_are_uploaded_and_made_by_recipes_and_the_winner_goes_into_a_slot(self) -> None:
        page = self.open_draft()
        page.locator("#lab-files").set_input_files([photo("бабушка.jpg"), photo("hall.jpg")])
        expect(page.locator("#lab-count")).to_have_text("2 фото")
        page.get_by_role("button", name="Убрать hall.jpg").click()
        expect(page.locator("#lab-count")).to_have_text("1 фото")
        page.get_by_role("button", name="Добавить готовый набор").click()
        expect(page.locator("#lab-count")).to_have_text("9 фото")
        self.start(page, f"slot-001:{OWN}", f"slot-002:{LITE}")
        expect(page.locator("#lab-phase")).to_have_text("Все картинки готовы")
        expect(page.locator("#lab-progress")).to_contain_text("18 из 18")
        expect(page.locator(".lab-cell.done img")).to_have_count(18)
        second = page.locator(".lab-recipes > li").nth(1)
        second.get_by_label("Слот для рецепта B").select_option(label="slot-003 · Портрет маслом")
        second.get_by_role("button", name="В слот").click()
        page.get_by_role("button", name="Поставить").click()
        expect(page.locator("#toasts li")).to_contain_text("Рецепт B теперь в слоте")
        rows = self.site.rows("SELECT settings FROM slot WHERE id = 'slot-003'")
        self.assertIn(LITE, rows[0][0])
        page.goto("/admin/slots/slot/slot-003/history/")
        page.get_by_role("link", name="победил в лаборатории").click()
        expect(page.locator(".lab-cell.done img")).to_have_count(18)
        for look in (*LOOKS, *OTHER_LOOKS):
            other = self.logged_in(look)
            other.goto(page.url)
            other.locator(".lab-cell img").first.scroll_into_view_if_needed()
            self.assert_good(other, "lab-run", look)
            other.goto(LAB)
            self.assert_good(other, "lab", look)

    def test_a_run_is_put_together_on_a_phone_and_by_keyboard(self) -> None:
        for look in LOOKS:
            page = self.open_draft(look)
            page.locator("#lab-files").set_input_files([photo("hall.jpg")])
            expect(page.locator("#lab-count")).to_have_text("1 фото")
            page.locator("#models-slot-001 summary").focus()
            page.keyboard.press("Enter")
            page.locator(f'[name=recipe][value="slot-001:{LITE}"]').focus()
            page.keyboard.press("Space")
            self.assert_good(page, "lab-draft", look)
            page.get_by_role("button", name="Начать").focus()
            page.keyboard.press("Enter")
            expect(page.locator("#lab-phase")).to_have_text("Все картинки готовы")

    def test_recipes_of_the_library_are_tried_beside_slots_and_the_winner_goes_into_a_slot(
        self,
    ) -> None:
        self.site.execute(
            "INSERT INTO recipe_preset (id, name, description, provider, operation, settings, "
            "variables, is_drawn, uses_templates, made_at, made_by) VALUES (77, 'С рамкой', '', "
            """'gemini', 'image_edit', '{"prompt": "x"}', '[]', 0, 1, '2026-11-27 10:00:00', '')"""
        )
        for look in (*LOOKS, *OTHER_LOOKS):
            page = self.open_draft(look)
            page.locator("#lab-files").set_input_files([photo("hall.jpg")])
            expect(page.locator("#lab-count")).to_have_text("1 фото")
            self.choose(page, f"slot-001:{OWN}")
            page.locator("#group-drawn summary").first.press("Enter")
            page.get_by_role("group", name="Масляная живопись").get_by_role("checkbox").check()
            page.locator("#lab-slot").select_option("slot-009")
            page.get_by_role("button", name="Выбрать", exact=True).click()
            expect(page).to_have_url(re.compile("slot=slot-009"))  # not the page before it
            expect(page.locator("#lab-slot")).to_have_value("slot-009")
            expect(page.locator("[name=recipe]:checked")).to_have_count(2)
            page.locator("#group-own summary").first.press("Enter")
            refused = page.get_by_role("group", name="С рамкой")
            expect(refused).to_contain_text("в этом слоте их нет")
            expect(refused.get_by_role("checkbox")).to_be_disabled()
            self.assert_good(page, "lab-library", look)
            page.get_by_role("button", name="Начать").click()
            expect(page.locator("#lab-phase")).to_have_text("Все картинки готовы")
            expect(page.locator(".lab-cell.done img")).to_have_count(2)
        winner = page.locator(".lab-recipes > li").nth(1)
        expect(winner).to_contain_text("как если бы стоял в slot-009")
        self.assert_good(page, "lab-run-library", OTHER_LOOKS[-1])
        winner.get_by_role("button", name="В слот").click()
        page.get_by_role("button", name="Поставить").click()
        expect(page.locator("#toasts li")).to_contain_text("Рецепт B теперь в слоте")
        row = self.site.rows("SELECT display_name, settings FROM slot WHERE id = 'slot-009'")[0]
        self.assertEqual(row[0], "Масляная живопись")
        self.assertIn("oil portrait", row[1])
        page.get_by_role("button", name="English").click()
        expect(page.locator(".lab-recipes > li").nth(1)).to_contain_text("Oil painting · ")

    def test_unsuitable_files_are_named_and_the_others_are_taken(self) -> None:
        page = self.open_draft()
        film = {"name": "film.gif", "mimeType": "image/gif", "buffer": b"GIF89a"}
        broken = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0"}
        page.locator("#lab-files").set_input_files([film, photo("hall.jpg"), broken])
        wrong = page.locator("#lab-wrong")
        expect(wrong).to_contain_text("film.gif: Подойдут только JPG, PNG и WEBP.")
        expect(wrong).to_contain_text("broken.jpg: ")
        expect(page.locator("#lab-count")).to_have_text("1 фото")

    def test_a_run_is_stopped_and_goes_on(self) -> None:
        page = self.open_draft()
        page.locator("#lab-files").set_input_files([photo(f"{n}.jpg") for n in range(4)])
        expect(page.locator("#lab-count")).to_have_text("4 фото")
        with self.provider.holding():
            self.start(page, f"slot-001:{OWN}")
            page.get_by_role("button", name="Остановить").click()
            expect(page.locator("#lab-phase")).to_have_text("Остановлен")
            self.assert_good(page, "lab-stopped", DESK)
        page.get_by_role("button", name="Дальше").click()
        expect(page.locator("#lab-progress")).to_contain_text("4 из 4")

    def test_a_page_that_was_closed_pauses_the_run(self) -> None:
        page = self.open_draft()
        page.locator("#lab-files").set_input_files([photo(f"{n}.jpg") for n in range(3)])
        expect(page.locator("#lab-count")).to_have_text("3 фото")
        with self.provider.holding():
            self.start(page, f"slot-001:{OWN}")
            expect(page.locator("#lab-progress")).to_be_attached()
            address = page.url
            # What its lanes have asked for is on its way to the service: nothing comes later.
            wait_until(lambda: self.provider.state()["in_flight"] == AT_ONCE)
            page.context.close()
        left = "SELECT count(*) FROM lab_cell WHERE state = 'running'"  # what was begun is finished
        wait_until(lambda: self.site.rows(left) == [(0,)])
        self.site.execute("UPDATE lab_run SET active_at = '2026-01-01 00:00:00'")
        other = self.logged_in()
        other.goto(address)
        expect(other.locator("#lab-phase")).to_contain_text("На паузе")
        other.get_by_role("button", name="Дальше").click()
        expect(other.locator("#lab-progress")).to_contain_text("3 из 3")

    def test_a_run_goes_on_by_itself_when_the_server_is_back(self) -> None:
        self.tolerate("ERR_|htmx:(send|response|after)|Failed to load|Response Status")
        page = self.open_draft()
        page.locator("#lab-files").set_input_files([photo(f"{n}.jpg") for n in range(2)])
        expect(page.locator("#lab-count")).to_have_text("2 фото")
        page.route("**/next/", lambda route: route.abort("connectionrefused"))
        self.start(page, f"slot-001:{OWN}")
        expect(page.locator("#offline")).to_be_visible()
        page.unroute("**/next/")
        expect(page.locator("#lab-phase")).to_have_text("Все картинки готовы")

    def test_the_lab_in_english_is_english(self) -> None:
        page = self.open_draft()
        page.get_by_role("button", name="English").click()
        expect(page.locator("h1")).to_have_text("New lab run")
        page.get_by_role("button", name="Add the starter set").click()
        expect(page.locator("#lab-count")).to_have_text("8 photos")
        expect(page.get_by_text("Glasses and a cap")).to_be_visible()
