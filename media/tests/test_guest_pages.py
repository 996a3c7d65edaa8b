"""Guest pages over HTTP: what they say, to whom, and what they never do."""

import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import override_settings
from django.utils import timezone
from PIL import Image

from media.models import MediaObject
from media.services import find_result
from media.tests.support import ResultsTestCase, StoredPicture
from media.views import render_qr_svg
from photochanger.errors import ResultExpired

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
RUSSIAN = {"Accept": BROWSER, "Accept_Language": "ru-RU,ru;q=0.9"}
ENGLISH = {"Accept": BROWSER, "Accept_Language": "en-GB"}


class GuestPageTests(ResultsTestCase):
    def test_the_page_shows_the_picture_its_button_its_code_and_its_time(self) -> None:
        media = self.store_result()
        MediaObject.objects.filter(pk=media.pk).update(
            expires_at=datetime(2096, 11, 25, 15, 40, tzinfo=UTC)
        )
        link = f"/public/results/{media.job_id}"
        page = self.get(media, "/page", **RUSSIAN)
        self.assertEqual(
            (page.status_code, page["Content-Type"]), (200, "text/html; charset=utf-8")
        )
        text = page.body.decode()
        self.assertInHTML(
            f'<img class="large" src="{link}?inline=1" alt="Фото из фотобудки" '
            'width="600" height="600" fetchpriority="high">',
            text,
        )
        self.assertRegex(text, f'<a class="button" href="{link}" download>')
        self.assertIn(f'src="/public/results/{media.view_id}/qr.svg"', text)  # it is for others
        self.assertIn("доступно до 25 ноября, 18:40", text)  # Moscow's time
        self.assertIn('<html lang="ru">', text)
        self.assertIn("Создано искусственным интеллектом", text)
        english = self.get(media, "/page", **ENGLISH).body.decode()
        self.assertIn("available until 25 November, 18:40", english)
        self.assertIn("Made by artificial intelligence", english)

    def test_a_kept_picture_has_no_last_day(self) -> None:
        media = self.store_result()
        MediaObject.objects.filter(pk=media.pk).update(expires_at=None)
        page = self.get(media, "/page", **ENGLISH)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("available until", page.body.decode())

    def test_messengers_get_a_small_jpeg_and_its_size_by_an_absolute_address(self) -> None:
        image = Image.effect_noise((2400, 3200), 90).convert("RGB")
        out = io.BytesIO()
        image.save(out, "PNG")
        media = self.store_result(StoredPicture(out.getvalue(), "image/png", image))
        for base, expected in (
            ("https://photos.example.com", "https://photos.example.com"),
            ("", "http://testserver"),
        ):
            with override_settings(PUBLIC_BASE_URL=base):
                text = self.get(media, "/page", **RUSSIAN).body.decode()
            told = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]+)">', text))
            link = f"{expected}/public/results/{media.view_id}"
            self.assertEqual((told["url"], told["image"]), (f"{link}/page", f"{link}/share.jpg"))
            self.assertEqual(told["image:type"], "image/jpeg")
            self.assertEqual((told["image:width"], told["image:height"]), ("900", "1200"))
            self.assertEqual(told["image:alt"], "Фото из фотобудки")
        answer = self.request(f"/public/results/{media.view_id}/share.jpg")
        self.assertEqual((answer.status_code, answer["Content-Type"]), (200, "image/jpeg"))
        self.assertLessEqual(len(answer.body), 300_000)
        shown = Image.open(io.BytesIO(answer.body))
        self.assertEqual((shown.format, shown.size), ("JPEG", (900, 1200)))
        same = self.request(
            f"/public/results/{media.view_id}/share.jpg", If_None_Match=answer["ETag"]
        )
        self.assertEqual((same.status_code, same.body), (304, b""))

    def test_a_picture_of_any_kind_is_a_jpeg_for_messengers(self) -> None:
        for mime, mode in (("image/png", "RGBA"), ("image/png", "LA"), ("image/webp", "RGBA")):
            with self.subTest(mime=mime, mode=mode):
                image = Image.new(mode, (40, 30))
                out = io.BytesIO()
                image.save(out, mime.removeprefix("image/").upper())
                media = self.store_result(StoredPicture(out.getvalue(), mime, image.convert("RGB")))
                answer = self.get(media, "/share.jpg")
                shown = Image.open(io.BytesIO(answer.body))
                self.assertEqual((shown.format, shown.size), ("JPEG", (40, 30)))
                self.assertEqual(shown.getpixel((20, 15)), (255, 255, 255))  # not black

    def test_a_picture_that_cannot_be_read_has_a_page_all_the_same(self) -> None:
        broken = StoredPicture(b"\xff\xd8\xff", "image/jpeg", Image.new("RGB", (9, 9)))
        media = self.store_result(broken)
        page = self.get(media, "/page", **RUSSIAN)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("og:image:width", page.body.decode())
        self.assertEqual(self.get(media, "/share.jpg").json()["failure_reason"], "storage_error")

    def test_messengers_are_offered_where_the_receiver_can_open_the_link(self) -> None:
        media = self.store_result()
        with override_settings(PUBLIC_BASE_URL="https://photos.example.com"):
            text = self.get(media, "/page", **ENGLISH).body.decode()
        encoded = f"https%3A%2F%2Fphotos.example.com%2Fpublic%2Fresults%2F{media.view_id}%2Fpage"
        for start in ("https://t.me/share/url?url=", "https://wa.me/?text=", "mailto:?subject="):
            self.assertRegex(text, re.escape(f'href="{start}') + f'[^"]*{encoded}')
        self.assertIn(f"https://vk.com/share.php?url={encoded}", text)
        self.assertIn(
            f'value="https://photos.example.com/public/results/{media.view_id}/page"', text
        )
        with override_settings(PUBLIC_BASE_URL="http://192.168.1.5:8000"):
            text = self.get(media, "/page", **ENGLISH).body.decode()
        self.assertNotIn("t.me", text)
        self.assertIn("in the Wi-Fi of this event only", text)
        self.assertIn("/qr.svg", text)

    def test_a_link_that_leads_nowhere_is_neither_shown_nor_coded(self) -> None:
        media = self.store_result()
        with override_settings(PUBLIC_BASE_URL="http://localhost:8000", BIND="127.0.0.1:8000"):
            text = self.get(media, "/page", **ENGLISH).body.decode()
            code = self.get(media, "/qr.svg")
        self.assertEqual((code.status_code, code.json()["failure_reason"]), (404, "not_found"))
        self.assertNotIn("og:image", text)
        self.assertNotIn("qr.svg", text)
        self.assertNotIn("t.me", text)
        self.assertNotIn('value="http://localhost', text)
        self.assertRegex(text, r'class="no-code">[^<]+PUBLIC_BASE_URL')

    def test_an_iphone_is_told_how_to_keep_the_picture(self) -> None:
        media = self.store_result()
        hint = 'id="apple-hint" hidden'
        for agent, is_told in (
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)", True),
            ("Pixel", False),
        ):
            text = self.get(media, "/page", User_Agent=agent, **ENGLISH).body.decode()
            self.assertEqual(hint not in " ".join(text.split()), is_told)

    def test_no_search_engine_no_cookie_no_cache_and_nothing_from_elsewhere(self) -> None:
        media = self.store_result()
        for tail in ("/page", "/delete"):
            page = self.get(media, tail, **RUSSIAN)
            self.assertEqual(page["X-Robots-Tag"], "noindex, nofollow")
            self.assertEqual(page["Cache-Control"], "no-store")
            self.assertEqual(page["Referrer-Policy"], "same-origin")
            self.assertEqual(page["X-Content-Type-Options"], "nosniff")
            self.assertIn("camera=()", page["Permissions-Policy"])
            policy = page["Content-Security-Policy"]
            self.assertTrue(policy.startswith("default-src 'none'; script-src 'self';"), policy)
            self.assertNotIn("unsafe", policy)
            self.assertIn("Accept-Language", page["Vary"])
            self.assertNotIn("Cookie", page["Vary"])
            self.assertFalse(page.cookies)
            text = page.body.decode()
            self.assertIn('<meta name="robots" content="noindex, nofollow">', text)
            self.assertNotRegex(text, r'src="(?:https?:)?//|<link[^>]+href="(?:https?:)?//')
            self.assertNotRegex(text, r"<style|\sstyle=|\son\w+=|<script(?! src)")

    def test_head_has_the_headers_of_get(self) -> None:
        head = self.get(self.store_result(), "/page", method="head", **RUSSIAN)
        self.assertEqual((head.status_code, head.body), (200, b""))

    @override_settings(PUBLIC_BASE_URL="https://photos.example.com")
    def test_the_code_holds_the_pages_absolute_address(self) -> None:
        media = self.store_result()
        code = self.get(media, "/qr.svg")
        self.assertEqual((code.status_code, code["Content-Type"]), (200, "image/svg+xml"))
        address = f"https://photos.example.com/public/results/{media.job_id}/page"
        self.assertEqual(code.body, render_qr_svg(address))
        self.assertTrue(code["Cache-Control"].startswith("private, max-age="))
        self.assertEqual(self.get(uuid.uuid4(), "/qr.svg").status_code, 404)
        head = self.get(media, "/qr.svg", "head")
        self.assertEqual((head.status_code, head["Content-Type"]), (200, "image/svg+xml"))


class GoneTests(ResultsTestCase):
    def assert_told(self, answer: Any, status: int, words: str) -> None:
        self.assertEqual(answer.status_code, status)
        self.assertEqual(answer["Content-Type"], "text/html; charset=utf-8")
        self.assertIn("Content-Security-Policy", answer.headers)
        self.assertEqual(answer["Cache-Control"], "no-store")
        self.assertIn(words, answer.body.decode())

    def test_a_failure_is_a_page_for_browsers_and_json_for_programs(self) -> None:
        old = self.store_result(stored_at=timezone.now() - timedelta(hours=80))
        for tail in ("", "?inline=1", "/page", "/preview", "/qr.svg", "/delete"):
            with self.subTest(tail=tail):
                self.assert_told(self.get(old, tail, **RUSSIAN), 410, "Этого фото больше нет")
                unknown = self.get(uuid.uuid4(), tail, **ENGLISH)
                self.assert_told(unknown, 404, "There is no such picture")
                for accept in ("*/*", "image/avif,image/webp,*/*;q=0.8", "application/json"):
                    answer = self.get(old, tail, Accept=accept)
                    self.assertEqual(answer.json()["failure_reason"], "result_expired")
        self.assertEqual(self.list_result_files(), [])

    def test_a_malformed_link_is_a_404_page(self) -> None:
        for job_id in ("x", "slot-001", "%00", "0" * 300):
            with self.subTest(job_id=job_id):
                answer = self.get(job_id, "/page", **RUSSIAN)
                self.assert_told(answer, 404, "Такого фото нет")


class DeleteTests(ResultsTestCase):
    def test_opening_the_confirmation_deletes_nothing(self) -> None:
        media = self.store_result()
        page = self.get(media, "/delete", **RUSSIAN)
        self.assertIn("Удалить это фото навсегда?", page.body.decode())
        self.assertIn("Вернуть фото будет нельзя", page.body.decode())
        self.assertEqual(len(self.list_result_files()), 2)

    def test_confirming_deletes_picture_and_preview(self) -> None:
        media, other = self.store_result(), self.store_result()
        gone = self.get(media, "/delete", method="post", **RUSSIAN)
        self.assertEqual(gone.status_code, 200)
        self.assertIn("Ваше фото удалено", gone.body.decode())
        self.assertFalse(gone.cookies)
        self.assertEqual(len(self.list_result_files()), 2)
        assert media.job_id and other.job_id
        with self.assertRaises(ResultExpired):
            find_result(media.job_id)
        find_result(other.job_id)
        again = self.get(media, "/delete", method="post", **RUSSIAN)
        self.assertEqual(again.status_code, 410)
        self.assertIn("Этого фото больше нет", again.body.decode())
