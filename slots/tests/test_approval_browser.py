"""Approving pictures on a phone, with scripts and without, and the console's page for the link."""

from playwright.sync_api import Page, expect

from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    PHONE,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.console import DESK, PASSWORD, ConsoleTestCase
from photochanger.testing.sample_photos import sight

CONSOLE = "/admin/slots/slot/slot-001/approval/"


class ApprovalBrowserCase(ConsoleTestCase):
    public_address = "https://photos.example"

    def setUp(self) -> None:
        super().setUp()
        self.tolerate("^: Applying inline style")  # by axe itself
        self.site.execute("UPDATE slot SET publishing = 'after_approval' WHERE id = 'slot-001'")
        for table in ("media_object", "approval_try", "approval_link"):
            self.site.execute(f"DELETE FROM {table}")

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


class ApprovalBrowserTests(ApprovalBrowserCase):
    def make_link(self) -> tuple[str, str]:
        """The path of the link and its PIN, as an administrator makes them."""
        page = self.logged_in(DESK)
        page.goto(CONSOLE)
        page.get_by_role("button", name="Сделать ссылку и PIN").click()
        pin = page.get_by_label("PIN: показан только сейчас").input_value()
        address = page.get_by_label("Ссылка для телефона").input_value()
        page.context.close()
        return address.removeprefix(self.public_address), pin

    def test_one_thumb_approves_hides_and_deletes_and_new_pictures_come_by_themselves(self) -> None:
        jobs = [self.add_result(sight(n), minutes_ago=9 - n) for n in range(3)]
        page = self.let_in(*self.make_link())
        cards = page.locator("li[data-id]")
        expect(cards).to_have_count(3)
        for left, (word, note) in enumerate(
            (("Показать", "Одобрено"), ("Скрыть", "Скрыто"), ("Удалить", "Удалено"))
        ):
            expect_drawn(cards.first.locator("img"))  # it would be asked for when it is gone
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
            page.locator("#ask-yes").click()
            expect(page.get_by_label("PIN: показан только сейчас")).to_be_visible()
            self.screenshot(page, "approval-link", look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            page.context.close()


EVENT = (
    "INSERT INTO event (id, name, public_title, starts_at, ends_at, started_at, accent_colour,"
    " background_colour, gallery_mode, note) VALUES (1, 'Свадьба', 'Анна и Борис',"
    " datetime('now', '-1 hours'), datetime('now', '+5 hours'), datetime('now', '-1 hours'),"
    " '', '', '', '')"
)


class HelperBrowserTests(ApprovalBrowserCase):
    """From the event's page to a helper's phone, and to the end."""

    def setUp(self) -> None:
        super().setUp()
        self.site.execute("UPDATE slot SET event_id = NULL")
        for table in ("event_slot", "event"):
            self.site.execute(f"DELETE FROM {table}")
        self.site.execute(EVENT)
        for slot_id in ("slot-001", "slot-002"):
            self.site.execute(f"INSERT INTO event_slot (event_id, slot_id) VALUES (1, '{slot_id}')")
            self.site.execute(f"UPDATE slot SET event_id = 1 WHERE id = '{slot_id}'")

    def shoot(self, number: int, slot_id: str, *, event: bool = True) -> str:
        job = self.add_result(sight(number), slot_id=slot_id, minutes_ago=9 - number)
        if event:
            of_job = f"job_id = '{job.replace('-', '')}'"
            self.site.execute(f"UPDATE media_object SET event_id = 1 WHERE {of_job}")
        return job

    def make_helper_link(self, page: Page, *, scripts: bool = True) -> tuple[str, str]:
        page.goto("/admin/events/1/")
        page.locator("#helper").get_by_role("button", name="Сделать ссылку и PIN").click()
        self.say_yes(page, scripts=scripts)
        pin = page.locator("#pin").input_value()
        return page.locator("#approval-url").input_value().removeprefix(self.public_address), pin

    def say_yes(self, page: Page, *, scripts: bool = True) -> None:
        page.locator("#ask-yes" if scripts else "#content form button").first.click()

    def test_a_helper_decides_on_all_slots_of_the_event_and_sees_no_other_picture(self) -> None:
        self.tolerate("status of 404")
        jobs = [self.shoot(1, "slot-001"), self.shoot(2, "slot-002")]
        other = self.shoot(3, "slot-002", event=False)
        path, pin = self.make_helper_link(self.logged_in(DESK))
        page = self.let_in(path, pin)
        expect(page.locator("h1")).to_have_text("Анна и Борис")
        cards = page.locator("li[data-id]")
        expect(cards).to_have_count(2)
        cards.first.get_by_role("button", name="Показать").click()
        expect(page.locator("#note")).to_contain_text("Одобрено")
        cards.first.get_by_role("button", name="Скрыть").click()
        expect(page.locator("#note")).to_contain_text("Скрыто")
        self.assertEqual(
            [self.review(job) for job in (*jobs, other)], ["approved", "hidden", "new"]
        )
        self.site.execute("UPDATE event SET closed_at = datetime('now')")
        page.reload()
        expect(page.locator("h1")).to_contain_text("никуда не ведёт")

    def test_all_of_it_works_with_scripts_off(self) -> None:
        job = self.shoot(1, "slot-002")
        self.logged_in()
        page = self.page(DESK, java_script_enabled=False)
        page.context.add_cookies(self.session)
        path, pin = self.make_helper_link(page, scripts=False)
        phone = self.let_in(path, pin, scripts=False)
        phone.get_by_role("button", name="Скрыть").click()
        self.assertEqual(self.review(job), "hidden")
        page.get_by_role("button", name="Закрыть ссылку").click()
        self.say_yes(page, scripts=False)
        expect(page.get_by_role("button", name="Сделать ссылку и PIN")).to_be_visible()
        self.assertEqual(self.site.rows("SELECT count(*) FROM approval_link"), [(0,)])

    def test_its_pages_are_good_by_day_and_night_small_and_large(self) -> None:
        for number in range(2):
            self.shoot(number, f"slot-00{number + 1}")
        path, pin = self.make_helper_link(self.logged_in(DESK))
        for look in (*LOOKS, *OTHER_LOOKS):
            page = self.let_in(path, pin, look)
            page.wait_for_load_state("networkidle")
            self.check(page, "helper", look)
            page = self.logged_in(look)
            for name, address in (
                ("helper-link", "/admin/events/1/approval/"),
                ("helper-event", "/admin/events/1/"),
                ("helper-print", "/admin/events/1/print/"),
            ):
                page.goto(address)
                self.check(page, name, look)
            self.show_card(page)
            self.check(page, "helper-card", look)
            page.context.close()

    def test_the_card_is_black_on_paper_whatever_the_screen_looks_like(self) -> None:
        self.make_helper_link(self.logged_in(DESK))
        look = Look(DESK.size, "dark")
        page = self.logged_in(look)
        self.show_card(page)
        page.emulate_media(media="print", color_scheme="dark")
        self.screenshot(page, "helper-card-print", look, full_page=True)
        for place in ("h2", "h3", "li", "p", "#helper-pin", "#helper-address"):
            words = page.locator(f".card {place}").last
            expect(words).to_have_css("color", "rgb(0, 0, 0)")
        expect(page.locator(".card")).to_have_css("background-color", "rgb(255, 255, 255)")

    def show_card(self, page: Page) -> None:
        page.goto("/admin/booth-passwords/?event=1")
        page.locator("#own-password").fill(PASSWORD)
        page.locator("#confirm-own button").click()
        expect(page.locator("#helper-pin")).to_be_visible()

    def check(self, page: Page, name: str, look: Look) -> None:
        with self.subTest(page=name, look=str(look)):
            self.screenshot(page, name, look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
