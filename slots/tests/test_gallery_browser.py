"""The gallery on phones, and the slide show in a hall, while photos come and the network goes."""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page, Request, Route, expect

from photochanger.testing.browser import (
    DESKTOP,
    LOOKS,
    OTHER_LOOKS,
    BrowserTestCase,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.sample_photos import sight
from photochanger.testing.waiting import PATIENCE_S


class GalleryTests(BrowserTestCase):
    """Each test has a slot of its own, since a gallery is remembered for a second."""

    slots: Iterator[str]
    public_address = "https://photos.example"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.execute("UPDATE slot SET is_active = 1, display_name = 'Летний бал'")
        cls.slots = iter([f"slot-{number:03d}" for number in range(1, 16)])

    def setUp(self) -> None:
        super().setUp()
        self.slot = next(self.slots)
        self._asked = defaultdict[Page, set[Request]](set)  # and not answered yet
        self.gallery = f"/public/slots/{self.slot}"
        self.show = f"{self.gallery}/slideshow"

    def add(self, number: int, *, minutes_ago: float = 0, **options: Any) -> str:
        """Returns the id under which the gallery shows it."""
        body = sight(number, **options)
        self.job = self.add_result(body, slot_id=self.slot, minutes_ago=minutes_ago)
        return self.view_id(self.job)

    def tick(self, page: Page, seconds: float = 6) -> None:
        page.clock.run_for(int(seconds * 1000))

    def turn_until(self, page: Page, check: Callable[[], bool]) -> None:
        """Let the page's time run, six seconds in the blink of an eye, until it is so.

        It stands while the page waits for an answer: else the page gives up on a slow server.
        """
        give_up = time.monotonic() + PATIENCE_S
        while not check():
            self.assertLess(time.monotonic(), give_up, "it never came to it")
            if not self._asked[page]:
                self.tick(page)
            page.wait_for_timeout(100)

    def following(self, path: str, look: Look | None = None) -> Page:
        """A page whose clock the test turns."""
        page = self.page(look)
        asked = self._asked[page]
        page.on("request", lambda one: asked.add(one))
        page.on("requestfinished", lambda one: asked.discard(one))
        page.on("requestfailed", lambda one: asked.discard(one))
        page.clock.install()
        page.goto(path)
        return page

    def cut(self, page: Page) -> None:
        """From now on the server is out of this page's reach."""
        self.tolerate("ERR_INTERNET_DISCONNECTED")
        page.route("**/*", lambda route: route.abort("internetdisconnected"))

    def shown(self, page: Page) -> str:
        """The job whose picture is on the hall's screen."""
        source = page.locator(".slide.seen .photo").get_attribute("src") or ""
        return source.split("/")[3].split("?")[0]

    def shows(self, page: Page, job: str) -> bool:
        return page.locator(f".slide.seen .photo[src*='{job}']").count() == 1

    def wait_for(self, page: Page, job: str) -> None:
        expect(page.locator(".slide.seen .photo")).to_have_attribute("src", re.compile(job))

    # --- The gallery
    def test_the_gallery_is_good_on_phones_and_desks_by_day_and_night(self) -> None:
        for number in range(7):
            self.add(number, size=(900, 1200) if number % 3 else (1200, 900), minutes_ago=number)
        for look in (*LOOKS, *OTHER_LOOKS):
            with self.subTest(look=str(look)):
                page = self.open(self.gallery, look)
                page.wait_for_load_state("networkidle")
                self.screenshot(page, "gallery", look)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)

    def test_an_empty_gallery_says_so_until_the_first_picture_comes(self) -> None:
        for look in LOOKS:
            page = self.following(self.gallery, look)
            page.get_by_role("heading", name="Фото пока нет").wait_for()
            assert_accessible(page)
            self.screenshot(page, "gallery-empty", look)
        job = self.add(1)
        self.turn_until(page, page.locator(f"[data-id='{job}']").is_visible)
        self.assertFalse(page.get_by_role("heading", name="Фото пока нет").is_visible())

    def test_a_new_picture_comes_first_without_reload_flicker_or_a_jump(self) -> None:
        jobs = [self.add(n, minutes_ago=n + 1) for n in range(8)]
        page = self.following(self.gallery)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('[data-id]').forEach((t) => (t.mark = 'kept'))")
        page.locator(f"[data-id='{jobs[4]}']").scroll_into_view_if_needed()
        page.evaluate("window.scrollTo(0, 300)")
        place = page.locator(f"[data-id='{jobs[4]}']").bounding_box()
        new = [self.add(9), self.add(10)]
        self.turn_until(page, lambda: page.locator(f"[data-id='{new[0]}']").count() == 1)
        ids = page.eval_on_selector_all("[data-id]", "tiles => tiles.map(t => t.dataset.id)")
        self.assertEqual(ids, [new[1], new[0], *jobs])
        kept = page.eval_on_selector_all("[data-id]", "ts => ts.filter(t => t.mark).length")
        self.assertEqual(kept, 8)
        now = page.locator(f"[data-id='{jobs[4]}']").bounding_box()
        assert place and now
        self.assertAlmostEqual(place["y"], now["y"], delta=2)
        self.assertEqual(page.get_by_role("status").inner_text(), "Новые фото: 2")

    def test_a_deleted_picture_leaves_and_a_closed_gallery_says_nothing_of_its_slot(self) -> None:
        self.tolerate("status of 4(04|10)")  # a preview may be asked for while it goes
        for number in range(2):
            self.add(number, minutes_ago=number)
        page = self.following(self.gallery)
        gone = self.job.replace("-", "")
        self.site.execute(f"DELETE FROM media_object WHERE job_id = '{gone}'")
        self.turn_until(page, lambda: page.locator("[data-id]").count() == 1)
        self.site.execute(f"UPDATE slot SET gallery_mode = 'closed' WHERE id = '{self.slot}'")
        self.turn_until(page, page.get_by_role("heading", name="Галерея закрыта").is_visible)
        self.assertNotIn("Летний бал", page.content())
        assert_accessible(page)

    def test_a_phone_without_network_says_so_and_catches_up(self) -> None:
        self.add(1, minutes_ago=1)
        page = self.following(self.gallery)
        page.wait_for_load_state("networkidle")
        self.cut(page)
        self.tick(page)
        page.get_by_text("Нет связи").wait_for()
        job = self.add(2)
        page.unroute("**/*")
        page.evaluate("window.dispatchEvent(new Event('online'))")
        self.turn_until(page, page.locator(f"[data-id='{job}']").is_visible)
        page.get_by_text("Нет связи").wait_for(state="hidden")

    # --- The hall's screen
    def test_the_slide_show_is_good_on_any_screen(self) -> None:
        self.add(3)
        for look in (*LOOKS, Look((1920, 1080))):
            page = self.open(self.show, look)
            page.locator(".slide.seen").wait_for()
            self.screenshot(page, "slideshow", look)
            backdrop = page.locator(".slide.seen .backdrop")
            box = backdrop.bounding_box()  # an upright picture fills the screen all the same
            assert box and box["width"] >= look.size[0] and box["height"] >= look.size[1]
            expect_drawn(backdrop)
            expect(page.locator("#sign")).to_have_text("Летний бал")
            assert_accessible(page)

    def test_a_hall_without_pictures_shows_the_code_of_the_gallery(self) -> None:
        for look in (Look(), Look(DESKTOP)):
            page = self.following(self.show, look)
            page.wait_for_load_state("networkidle")
            page.get_by_alt_text("QR-код галереи").wait_for()
            assert_accessible(page)
            self.screenshot(page, "slideshow-waiting", look)
        job = self.add(1)
        self.turn_until(page, lambda: self.shows(page, job))
        self.assertFalse(page.locator("#waiting").is_visible())

    def test_a_screen_that_no_phone_can_reach_says_so_instead_of_showing_a_code(self) -> None:
        with self.site.server(env={"PUBLIC_BASE_URL": "http://localhost:8000"}) as server:
            page = self.following(f"{server.url}{self.show}", Look(DESKTOP))
            page.locator("#waiting .no-code").wait_for()
            self.assertIn("PUBLIC_BASE_URL", page.locator("#waiting .no-code").inner_text())
            self.screenshot(page, "slideshow-no-code", Look(DESKTOP))
            assert_accessible(page)
            self.add(1)
            self.turn_until(page, page.locator(".slide.seen .no-code").is_visible)
            self.screenshot(page, "slideshow-no-code-slide", Look(DESKTOP))
            self.assertEqual(page.locator(".code").count(), 0)
            self.assertEqual(page.request.get(f"{server.url}{self.gallery}/qr.svg").status, 404)

    def test_new_pictures_are_shown_at_once_and_all_take_turns_in_two_layers(self) -> None:
        old = [self.add(n, minutes_ago=n + 1) for n in range(2)]
        page = self.following(self.show)
        self.wait_for(page, old[0])
        self.tick(page, 8.1)
        self.wait_for(page, old[1])
        new = self.add(5)
        self.turn_until(page, lambda: self.shows(page, new))
        nodes = page.evaluate("document.getElementsByTagName('*').length")
        seen = set()

        def all_had_their_turn() -> bool:
            seen.add(self.shown(page))
            return seen == {*old, new}

        self.turn_until(page, all_had_their_turn)
        self.assertEqual(page.evaluate("document.getElementsByTagName('*').length"), nodes)
        code = page.locator(".slide.seen .code").get_attribute("src")
        self.assertEqual(code, f"/public/results/{self.shown(page)}/qr.svg")

    def test_the_keys_of_whoever_stands_at_the_screen(self) -> None:
        jobs = [self.add(n, minutes_ago=n) for n in range(3)]
        page = self.following(self.show)
        self.wait_for(page, jobs[0])
        page.keyboard.press("ArrowRight")
        self.wait_for(page, jobs[1])
        page.keyboard.press("ArrowLeft")
        self.wait_for(page, jobs[0])
        page.keyboard.press("Space")
        page.get_by_text("Пауза").wait_for()
        self.tick(page, 20)
        self.wait_for(page, jobs[0])
        page.keyboard.press("Space")
        self.tick(page, 8.1)
        self.wait_for(page, jobs[1])
        page.keyboard.press("f")
        expect(page.locator(":fullscreen")).to_have_count(1)

    def test_the_screen_outlives_a_network_that_was_away(self) -> None:
        old = self.add(1, minutes_ago=1)
        page = self.following(self.show)
        self.wait_for(page, old)
        self.cut(page)
        self.turn_until(page, page.get_by_text("Нет связи").is_visible)
        self.assertEqual(self.shown(page), old)  # the last picture stays on
        new = self.add(2)
        page.unroute("**/*")
        self.turn_until(page, lambda: self.shows(page, new))
        page.get_by_text("Нет связи").wait_for(state="hidden")

    def test_a_picture_that_never_comes_does_not_stop_the_screen(self) -> None:
        old = self.add(1, minutes_ago=1)
        page = self.following(self.show)
        self.wait_for(page, old)
        stuck = self.add(2)
        with page.expect_request(lambda request: stuck in request.url):
            page.route(f"**/{stuck}?inline=1", lambda route: None)
            for _ in range(15):
                self.tick(page)
                page.wait_for_timeout(100)
        new = self.add(3)
        self.turn_until(page, lambda: self.shows(page, new))

    def test_a_closed_gallery_leaves_the_screen_without_faces(self) -> None:
        self.tolerate("status of 404")
        job = self.add(1)
        page = self.following(self.show)
        self.wait_for(page, job)
        page.route("**/*format=json", self.closed)
        self.tick(page)
        expect(page.locator(".slide.seen")).to_have_count(0)
        self.assertTrue(page.locator("#waiting").is_visible())

    def closed(self, route: Route) -> None:
        route.fulfill(status=404, json={"failure_reason": "gallery_closed"})

    def test_whoever_wants_no_motion_gets_none_and_screens_stay_awake(self) -> None:
        self.add(1)
        page = self.page(Look(DESKTOP), reduced_motion="reduce")
        page.add_init_script(
            "Object.defineProperty(navigator, 'wakeLock', "
            "{value: {request: async (kind) => { window.awake = kind; }}})"
        )
        page.goto(self.show)
        page.locator(".slide.seen").wait_for()
        duration = page.evaluate(
            "getComputedStyle(document.querySelector('.slide')).transitionDuration"
        )
        self.assertEqual(duration, "0s")
        self.assertEqual(page.evaluate("window.awake"), "screen")
