"""Words that change with the photo, as operators set them up, in a real browser."""

import json

from playwright.sync_api import Page, expect

from photochanger.testing.browser import LOOKS, Look, assert_accessible
from photochanger.testing.browser import assert_nothing_is_cut_off as assert_fits
from photochanger.testing.console import DESK, ConsoleTestCase


class WordsTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself

    def open_words(self, number: int, look: Look = DESK) -> Page:
        page = self.logged_in(look)
        page.goto(f"/admin/slots/slot/slot-{number:03}/change/")
        if not page.locator("#add-word").is_visible():
            page.locator("#words-details summary").click()
        return page

    def add_word(self, page: Page, name: str, **texts: str) -> None:
        number = page.locator(".booth-word").count()
        page.locator("#add-word").click()
        expect(page.locator(".booth-word")).to_have_count(number + 1)
        for field, text in {"name": name, **texts}.items():
            page.locator(f"#word-{number}-{field}").fill(text)

    def test_a_word_is_set_up_previewed_and_saved(self) -> None:
        page = self.open_words(3)
        prompt = "{people: One | Two | Some} for {guest}"
        page.locator("[id='settings.prompt']").fill(prompt)
        self.add_word(page, "guest", label="имя гостя", example="Анна", default="наш гость")
        self.add_word(page, "city")
        page.get_by_role("button", name="Убрать слово 2").click()
        expect(page.locator(".booth-word")).to_have_count(1)
        page.locator("#preview-prompt").click()
        for words in ("One for «Анна»", "Some for «Анна»", "Some for наш гость"):
            expect(page.locator("#prompt-preview").get_by_text(words)).to_be_visible()
        page.get_by_role("button", name="Сохранить", exact=True).click()
        expect(page.locator("#toasts")).to_contain_text("Сохранено")
        [row] = self.site.rows("SELECT variables FROM slot WHERE id = 'slot-003'")
        self.assertEqual([one["name"] for one in json.loads(row[0])], ["guest"])
        expect(page.locator("#word-0-name")).to_have_value("guest")

    def test_it_is_good_by_day_and_night_small_and_large(self) -> None:
        for look in LOOKS:
            page = self.open_words(4, look)
            page.locator("[id='settings.prompt']").fill("{people: One | Two | Some} {guest}")
            self.add_word(page, "guest", example="Анна" * 20)
            page.locator("#preview-prompt").click()
            expect(page.locator(".filled")).to_be_visible()
            assert_accessible(page)
            assert_fits(page)
            page.locator("#prompt-words").scroll_into_view_if_needed()
            self.screenshot(page, "words", look, full_page=True)
            page.context.close()
