"""The library as operators use it, in a real browser: to a first picture on a fresh site."""

from typing import Any, ClassVar

from playwright.sync_api import Page, expect

from photochanger.testing import live
from photochanger.testing.browser import LOOKS, OTHER_LOOKS, assert_accessible, expect_drawn
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import ConsoleTestCase

LIBRARY = "/admin/library/"
MOST_CLICKS = 3
COUNT_CLICKS = """
document.addEventListener("click", () => {
  sessionStorage.setItem("clicks", 1 + Number(sessionStorage.getItem("clicks")));
}, true);
"""


class LibraryTests(ConsoleTestCase):
    provider: ClassVar[live.Simulator]

    @classmethod
    def prepare(cls, site: live.LiveSite) -> None:
        """As it is after the installation: nothing is set up."""
        super().prepare(site)
        site.execute("UPDATE slot SET settings = '{}', is_active = 0, display_name = ''")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = cls.enterClassContext(cls.site.simulator(plain=False))
        cls.server = cls.enterClassContext(cls.site.server())  # one that knows the simulator

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def fresh_dashboard(self) -> Page:
        page = self.logged_in()
        page.context.add_init_script(COUNT_CLICKS)
        page.goto("/admin/")
        return page

    def count_clicks(self, page: Page) -> int:
        return int(page.evaluate("sessionStorage.getItem('clicks')"))

    def expect_picture(self, page: Page) -> None:
        expect(page.get_by_text("Картинка пришла.")).to_be_visible()
        expect_drawn(page.locator(".compare .after"), wider_than=100)

    def test_from_the_dashboard_it_is_three_clicks_to_the_first_picture(self) -> None:
        for number, button in enumerate(("Поставить «Комикс» в", "Попробовать «Комикс» в")):
            page = self.fresh_dashboard()
            page.locator("#to-library").click()
            role: Any = "link" if number else "button"
            page.get_by_role(role, name=button).click()
            page.wait_for_url("**/change/**")  # with its scripts
            page.get_by_role("button", name="Протестировать").click()
            self.expect_picture(page)
            self.assertLessEqual(self.count_clicks(page), MOST_CLICKS)
            print(f"clicks from the dashboard to the first picture: {self.count_clicks(page)}")

    def test_into_this_slot_is_two_clicks_from_the_slot(self) -> None:
        page = self.fresh_dashboard()
        page.goto("/admin/slots/slot/slot-003/change/")
        page.get_by_role("link", name="Выбрать рецепт").click()
        page.get_by_role("button", name="Поставить «Акварель» в slot-003").click()
        expect(page.locator("#toasts")).to_contain_text("«Акварель» теперь в slot-003")
        self.assertEqual(self.count_clicks(page), 2)

    def test_a_slot_that_takes_photos_is_replaced_only_after_a_yes(self) -> None:
        recipe = """'{"prompt": "A nebula"}'"""
        self.site.execute(f"UPDATE slot SET settings={recipe}, is_active=1 WHERE id='slot-009'")
        page = self.logged_in()
        page.goto(f"{LIBRARY}?slot=slot-009")
        expect(page.locator(".taking")).to_be_visible()
        for answer, prompt in (("Отмена", "nebula"), ("Поставить", "graphite")):
            page.get_by_role("button", name="Поставить «Карандашный портрет»").click()
            expect(page.locator("#ask-title")).to_contain_text("сейчас принимает фото")
            page.locator("#ask").get_by_role("button", name=answer).click()
            if answer == "Поставить":
                page.wait_for_url("**/slot-009/change/*")
            [row] = self.site.rows("SELECT settings FROM slot WHERE id = 'slot-009'")
            self.assertIn(prompt, row[0])

    def test_one_own_preset_is_made_renamed_and_deleted_by_keyboard(self) -> None:
        recipe = """'{"prompt": "Our evening"}'"""
        self.site.execute(f"UPDATE slot SET settings={recipe} WHERE id='slot-010'")
        page = self.logged_in()
        page.goto("/admin/library/new/?slot=slot-010")
        page.locator("#preset-name").fill("Вечер")
        page.keyboard.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("«Вечер» теперь в библиотеке.")
        change = page.get_by_role("link", name="Изменить «Вечер»")
        change.focus()
        page.keyboard.press("Enter")
        page.locator("#preset-name").fill("Поздний вечер")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Изменить «Поздний вечер»").click()
        page.get_by_role("button", name="Удалить").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#ask-title")).to_contain_text("Удалить пресет «Поздний вечер»?")
        page.locator("#ask-yes").press("Enter")
        expect(page.locator("#toasts")).to_contain_text("«Поздний вечер» удалён.")
        self.assertEqual(self.site.rows("SELECT name FROM recipe_preset"), [])

    def test_two_tests_are_compared_and_one_becomes_the_sample_with_one_click(self) -> None:
        page = self.logged_in()
        for key in ("comic", "pencil"):
            page.goto(f"/admin/slots/slot/slot-012/change/?preset={key}#trial")
            page.get_by_role("button", name="Протестировать").click()
            self.expect_picture(page)
        keep = page.get_by_role("button", name="Сделать картинкой «Карандашный портрет»")
        keep.click()
        expect(keep).to_have_count(0)
        expect(page.get_by_role("link", name="Рецепт «Карандашный портрет»")).to_be_visible()
        self.assertEqual(self.site.rows("SELECT key FROM recipe_sample"), [("pencil",)])
        address = page.get_by_role("link", name="Сравнить тест").first.get_attribute("href")
        for look in LOOKS:
            page = self.logged_in(look)
            page.goto(str(address))
            expect(page.locator(".two-tests img")).to_have_count(2)
            for picture in page.locator(".two-tests img").all():
                expect_drawn(picture)
            assert_accessible(page)
            assert_fits(page)
            self.screenshot(page, "two-tests", look, full_page=True)

    def test_the_pages_are_good_small_and_large_by_day_and_night_in_both_languages(self) -> None:
        self.site.execute(
            "INSERT INTO recipe_preset (id, name, description, provider, operation, settings, "
            "variables, is_drawn, uses_templates, made_at, made_by) VALUES (77, "
            "'Очень длинное название пресета для проверки узких экранов', 'Своё', 'gemini', "
            """'image_edit', '{"prompt": "x"}', '[]', 0, 1, '2026-11-27 10:00:00', 'serg')"""
        )
        pages = {
            "library": LIBRARY,
            "library-new": "/admin/library/new/?slot=slot-003",
            "library-preset": "/admin/library/preset/own-77/",
        }
        for look in LOOKS + OTHER_LOOKS:
            page = self.logged_in(look)
            if look in OTHER_LOOKS:
                page.context.add_cookies(
                    [{"name": "django_language", "value": "en", "url": self.server.url}]
                )
            for name, path in pages.items():
                page.goto(path)
                for picture in page.locator(".recipe img").all()[:3]:
                    expect_drawn(picture)
                assert_accessible(page)
                assert_fits(page)
                self.screenshot(page, name, look, full_page=look in LOOKS)
        self.site.execute("DELETE FROM recipe_preset")
