"""Approving pictures on a phone, with scripts and without, and the console's page for the link."""

from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
)
from photochanger.testing.console import DESK, ConsoleTestCase
from photochanger.testing.sample_photos import sight

CONSOLE = "/admin/slots/slot/slot-001/approval/"


class ApprovalBrowserTests(ConsoleTestCase):
    public_address = "https://photos.example"

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself
        self.site.execute("UPDATE slot SET publishing = 'after_approval' WHERE id = 'slot-001'")
        self.site.execute("DELETE FROM media_object")

    def make_link(self) -> tuple[str, str]:
        """The path of the link and its PIN, as an administrator makes them."""
        page = self.logged_in(DESK)
        page.goto(CONSOLE)
        page.get_by_role("button", name="Сделать ссылку и PIN").click()
        pin = page.get_by_label("PIN: показан только сейчас").input_value()
        address = page.get_by_label("Ссылка для телефона").input_value()
        page.context.close()
        return address.removeprefix(self.public_address), pin

    def let_in(
        self, path: str, pin: str, look: Look | None = None, *, scripts: bool = True
    ) -> Page:
        page = self.open(path, look or Look(PHONE), java_script_enabled=scripts)
        page.get_by_label("PIN, восемь цифр").fill(pin)
        page.get_by_role("button", name="Дальше").click()
        expect(page.locator("#tabs")).to_be_visible()
        return page

    def review(self, job: str) -> str:
        ((review,),) = self.site.rows(
            f"SELECT review FROM media_object WHERE job_id = '{job.replace('-', '')}'"
            " AND kind = 'result'"
        )
        return str(review)

    def test_one_thumb_approves_hides_and_deletes_and_new_pictures_come_by_themselves(self) -> None:
        jobs = [self.add_result(sight(n), minutes_ago=9 - n) for n in range(3)]
        page = self.let_in(*self.make_link())
        cards = page.locator("li[data-id]")
        expect(cards).to_have_count(3)
        for left, (word, note) in enumerate(
            (("Показать", "Одобрено"), ("Скрыть", "Скрыто"), ("Удалить", "Удалено"))
        ):
            cards.first.get_by_role("button", name=word).click()
            expect(page.locator("#note")).to_contain_text(note)
            expect(cards).to_have_count(2 - left)
        self.assertEqual([self.review(job) for job in jobs], ["approved", "hidden", "removed"])
        self.add_result(sight(4))
        expect(cards).to_have_count(1)
        guest = self.open("/public/slots/slot-001")
        expect(guest.locator("[data-id]")).to_have_count(1)
        page.get_by_role("link", name="Удалённые").click()
        page.get_by_role("button", name="Вернуть снимок").click()
        expect(page.locator("#note")).to_contain_text("вернулся")

    def test_it_works_with_scripts_off(self) -> None:
        job = self.add_result(sight(1))
        page = self.let_in(*self.make_link(), scripts=False)
        page.get_by_role("button", name="Показать").click()
        expect(page.locator("#note")).to_contain_text("Одобрено")
        self.assertEqual(self.review(job), "approved")
        page.get_by_role("link", name="На показе").click()
        page.get_by_role("button", name="Скрыть").click()
        self.assertEqual(self.review(job), "hidden")

    def test_a_wrong_pin_says_so_and_shows_nothing(self) -> None:
        self.tolerate("status of 403")
        self.add_result(sight(1))
        path, _pin = self.make_link()
        page = self.open(path)
        page.get_by_label("PIN, восемь цифр").fill("1")
        page.get_by_role("button", name="Дальше").click()
        expect(page.get_by_role("alert")).to_contain_text("PIN не подходит")
        assert_accessible(page)
        self.assertEqual(page.locator("img:not(.mark)").count(), 0)

    def test_the_pages_are_good_by_day_and_night_small_and_large(self) -> None:
        for number in range(3):
            self.add_result(sight(number), minutes_ago=number)
        path, pin = self.make_link()
        for look in (*LOOKS, *OTHER_LOOKS):
            page = self.open(path, look)
            self.screenshot(page, "approval-pin", look)
            assert_accessible(page)
            page = self.let_in(path, pin, look)
            page.wait_for_load_state("networkidle")
            self.screenshot(page, "approval", look)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            page.context.close()
        for look in LOOKS:
            page = self.logged_in(look)
            page.goto(CONSOLE)
            page.get_by_role("button", name="Новый PIN").click()
            expect(page.get_by_label("PIN: показан только сейчас")).to_be_visible()
            self.screenshot(page, "approval-link", look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            page.context.close()
