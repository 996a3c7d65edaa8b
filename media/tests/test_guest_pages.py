"""Guest pages over HTTP: what they say, to whom, and what they never do."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import override_settings
from django.utils import timezone

from media.models import MediaObject
from media.services import find_result
from media.tests.support import ResultsTestCase
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
            'fetchpriority="high">',
            text,
        )
        self.assertRegex(text, f'<a class="button" href="{link}" download>')
        self.assertIn(f'src="{link}/qr.svg"', text)
        self.assertIn("доступно до 25 ноября, 18:40", text)  # Moscow's time
        self.assertIn('<html lang="ru">', text)
        english = self.get(media, "/page", **ENGLISH).body.decode()
        self.assertIn("available until 25 November, 18:40", english)

    def test_a_kept_picture_has_no_last_day(self) -> None:
        media = self.store_result()
        MediaObject.objects.filter(pk=media.pk).update(expires_at=None)
        page = self.get(media, "/page", **ENGLISH)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("available until", page.body.decode())

    def test_shared_links_show_a_picture_by_its_absolute_address(self) -> None:
        media = self.store_result()
        for base, expected in (
            ("https://photos.example.com", "https://photos.example.com"),
            ("", "http://testserver"),
        ):
            with override_settings(PUBLIC_BASE_URL=base):
                text = self.get(media, "/page", **RUSSIAN).body.decode()
            told = dict(re.findall(r'<meta property="og:([\w:]+)" content="([^"]+)">', text))
            self.assertEqual(told["url"], f"{expected}/public/results/{media.job_id}/page")
            self.assertEqual(told["image"], f"{expected}/public/results/{media.job_id}?inline=1")
            self.assertEqual(told["image:type"], "image/jpeg")

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
            self.assertNotRegex(text, r'(?:src|href)="(?:https?:)?//')
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
