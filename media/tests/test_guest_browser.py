"""A guest's page as phones and desks show it."""

import io
import json
import re

import zxingcpp
from django.contrib.auth.hashers import make_password
from PIL import Image
from playwright.sync_api import Page, Route, expect

from photochanger.testing.browser import (
    LOOKS,
    OTHER_LOOKS,
    BrowserTestCase,
    Look,
    assert_accessible,
    assert_nothing_is_cut_off,
    expect_drawn,
)
from photochanger.testing.sample_photos import sight
from photochanger.testing.waiting import wait_until


def make_old(route: Route) -> None:
    """Style sheets as a browser reads them that does not know the function."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("light-dark(", "unknown("))


ADDRESS = "https://photos.example"


class PageTests(BrowserTestCase):
    public_address = ADDRESS

    def test_the_page_is_good_on_phones_and_desks_by_day_and_night(self) -> None:
        job = self.add_result(sight(1))
        for look in (*LOOKS, *OTHER_LOOKS):
            with self.subTest(look=str(look)):
                page = self.open(f"/public/results/{job}/page", look)
                expect_drawn(page.locator(".large"))
                self.screenshot(page, "guest-page", look)
                assert_accessible(page)
                assert_nothing_is_cut_off(page)
                button = page.get_by_role("link", name="Скачать").bounding_box()
                assert button
                self.assertGreaterEqual(button["height"], 48)
                self.assertLessEqual(button["y"] + button["height"], look.size[1], "out of reach")
                page.get_by_role("link", name="Удалить моё фото").click()
                assert_accessible(page)
                self.screenshot(page, "guest-asks", look)

    def test_a_title_of_its_own_stands_over_the_picture(self) -> None:
        words = "Свадьба Анны и Бориса, 27 ноября: спасибо, что вы с нами"
        self.site.execute(f"UPDATE slot SET public_title = '{words}' WHERE id = 'slot-001'")
        job = self.add_result(sight(1))
        for look in LOOKS:
            page = self.open(f"/public/results/{job}/page", look)
            expect(page.get_by_role("heading", level=1)).to_contain_text(words)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            self.screenshot(page, "guest-title", look)
        self.site.execute("UPDATE slot SET public_title = '' WHERE id = 'slot-001'")

    def test_a_wide_picture_fits_too(self) -> None:
        job = self.add_result(sight(2, size=(1600, 900)))
        page = self.open(f"/public/results/{job}/page")
        expect_drawn(page.locator(".large"))
        self.screenshot(page, "guest-page-wide", Look())
        assert_nothing_is_cut_off(page)

    def test_a_camera_reads_the_code_by_day_and_night(self) -> None:
        job = self.add_result(sight(2))
        for look in LOOKS:
            page = self.open(f"/public/results/{job}/page", look, device_scale_factor=2)
            page.wait_for_load_state("networkidle")
            seen = Image.open(io.BytesIO(page.locator(".qr").screenshot())).convert("L")
            (code,) = zxingcpp.read_barcodes(seen)
            self.assertEqual(code.text, f"{ADDRESS}/public/results/{self.view_id(job)}/page")

    def test_the_button_downloads_the_picture(self) -> None:
        job = self.add_result(sight(3))
        page = self.open(f"/public/results/{job}/page")
        with page.expect_download() as download:
            page.get_by_role("link", name="Скачать").click()
        self.assertEqual(download.value.suggested_filename, f"photo-{job}.jpg")
        self.assertEqual(download.value.path().read_bytes(), sight(3))

    def test_a_guest_keeps_or_deletes_the_picture(self) -> None:
        self.tolerate("status of 410")
        job = self.add_result(sight(4))
        page = self.open(f"/public/results/{job}/page")
        page.get_by_role("link", name="Удалить моё фото").click()
        page.get_by_role("button", name="Оставить").click()
        page.get_by_role("dialog").wait_for(state="hidden")
        self.assertTrue(list(self.site.media_root.rglob(f"{job}/*.jpg")))
        page.get_by_role("link", name="Удалить моё фото").click()
        page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
        page.get_by_role("heading", name="Ваше фото удалено").wait_for()
        self.assertFalse(list(self.site.media_root.rglob(f"{job}/*.jpg")))
        for look in LOOKS:
            gone = self.open(f"/public/results/{job}/page", look)
            gone.get_by_role("heading", name="Этого фото больше нет").wait_for()
            assert_accessible(gone)
            self.screenshot(gone, "guest-gone", look)

    def test_without_scripts_a_page_asks_before_deleting(self) -> None:
        job = self.add_result(sight(5))
        page = self.open(f"/public/results/{job}/page", java_script_enabled=False)
        page.get_by_role("link", name="Удалить моё фото").click()
        self.assertTrue(page.url.endswith("/delete"))
        page.wait_for_load_state("networkidle")
        self.screenshot(page, "guest-asks-plain", Look())
        page.get_by_role("link", name="Оставить").click()
        self.assertTrue(page.url.endswith("/page"))
        page.get_by_role("link", name="Удалить моё фото").click()
        page.get_by_role("button", name="Удалить").click()
        page.get_by_role("heading", name="Ваше фото удалено").wait_for()

    def open_where_shared(self, job: str, can_share: str) -> Page:
        page = self.page()
        page.add_init_script(
            "navigator.share = async (what) => { window.shared = what; };"
            f"navigator.canShare = (what) => {can_share};"
        )
        page.goto(f"/public/results/{job}/page", wait_until="networkidle")
        page.get_by_role("button", name="Поделиться").click()
        wait_until(lambda: bool(page.evaluate("'shared' in window")))
        return page

    def test_a_phone_shares_the_picture_itself(self) -> None:
        job = self.add_result(sight(6))
        page = self.open_where_shared(job, "Boolean(what.files)")
        shared = page.evaluate("[shared.files[0].name, shared.files[0].type, shared.files[0].size]")
        self.assertEqual(shared, ["photo.jpg", "image/jpeg", len(sight(6))])

    def test_a_phone_that_shares_no_files_shares_the_page(self) -> None:
        job = self.add_result(sight(6))
        page = self.open_where_shared(job, "!what.files")
        view = f"{ADDRESS}/public/results/{self.view_id(job)}/page"
        self.assertEqual(page.evaluate("shared.url"), view)
        plain = self.page()
        plain.add_init_script("delete Navigator.prototype.share")
        plain.goto(f"/public/results/{job}/page")
        self.assertFalse(plain.get_by_text("Поделиться").is_visible())

    def test_the_link_is_copied_also_where_browsers_have_no_clipboard(self) -> None:
        job = self.add_result(sight(6))
        page = self.page()
        page.add_init_script(
            "delete Navigator.prototype.clipboard;"
            "addEventListener('copy', () => { window.copied = getSelection().toString(); });"
        )
        page.goto(f"/public/results/{job}/page")
        page.get_by_role("button", name="Копировать").click()
        expect(page.locator("#copied")).to_have_text("Скопировано")
        self.assertEqual(
            page.evaluate("copied"), f"{ADDRESS}/public/results/{self.view_id(job)}/page"
        )

    def test_a_shared_link_shows_the_picture_and_no_way_to_delete_it(self) -> None:
        job = self.add_result(sight(6))
        for look in (*LOOKS, *OTHER_LOOKS):
            page = self.open(f"/public/results/{self.view_id(job)}/page", look)
            expect_drawn(page.locator(".large"))
            self.screenshot(page, "guest-page-shared", look, full_page=True)
            assert_accessible(page)
            assert_nothing_is_cut_off(page)
            expect(page.get_by_text("Удалить моё фото")).to_have_count(0)
            self.assertNotIn(job, page.content())

    def test_an_old_phone_keeps_its_colours(self) -> None:
        """Chrome before 123 and Safari before 17.5 know no light-dark()."""
        job = self.add_result(sight(6))
        seen = {}
        for theme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 41, 31)")):
            page = self.page(Look(theme=theme))
            page.route("**/*.css", make_old)
            page.goto(f"/public/results/{job}/page")
            button = page.get_by_role("button", name="Копировать")
            seen[theme] = button.evaluate("(e) => getComputedStyle(e).backgroundColor")
            self.assertEqual(seen[theme], ground)
            self.screenshot(page, "guest-page-old", Look(theme=theme))

    def test_nothing_comes_from_elsewhere_and_no_cookie_is_set(self) -> None:
        job = self.add_result(sight(7))
        context = self.context()
        page = self.watched(context.new_page())
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/public/results/{job}/page", wait_until="networkidle")
        self.assertGreater(len(asked), 4)
        self.assertEqual([u for u in asked if not u.startswith(self.server.url)], [])
        self.assertEqual(context.cookies(), [])

    def test_django_and_the_api_description_live_under_the_same_policy(self) -> None:
        users = {"admins": [{"username": "serg", "password": make_password("a-good-password")}]}
        (self.site.root / "admins.json").write_text(json.dumps(users))
        (self.site.root / "admins.json").chmod(0o600)
        self.site.manage("sync_admins")
        self.tolerate("favicon.ico")  # Django's pages name none
        page = self.page(Look((1280, 800)))
        page.goto("/admin/")
        page.locator("[name=username]").fill("serg")
        page.locator("[name=password]").fill("a-good-password")
        page.locator("[name=password]").press("Enter")
        page.wait_for_url(re.compile("/admin/$"))
        for path in ("/admin/slots/slot/", "/admin/slots/slot/slot-001/change/"):
            page.goto(path, wait_until="networkidle")
        answer = page.goto("/api/docs")
        assert answer
        self.assertIn("script-src 'self'", answer.headers["content-security-policy"])
        page.get_by_text("See the newest pictures of a slot").wait_for()
        page.get_by_text("See the newest pictures of a slot").click()
        self.screenshot(page, "api-docs", Look((1280, 800)))
