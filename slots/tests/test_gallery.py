"""The public gallery over HTTP: open and closed, as a page, as its list alone, as JSON."""

import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from media.deletion import delete_result
from media.models import MediaObject
from media.tests.support import ResultsTestCase, make_picture
from media.views import render_qr_svg
from photochanger.testing.marks import both_databases
from slots.models import Slot
from slots.platform_settings import change_settings

pytestmark = both_databases

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
SLOT = "/public/slots/slot-001"
TAILS = ("", "?format=json", "?format=fragment", "/slideshow", "/qr.svg")


@override_settings(GALLERY_FRESH_SECONDS=0)
class GalleryTestCase(ResultsTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        Slot.objects.filter(pk="slot-001").update(is_active=True, display_name="Летний <бал>")

    def setUp(self) -> None:
        super().setUp()
        self.picture = make_picture(side_px=32)

    def add(self, minutes_ago: int = 0, **options: Any) -> MediaObject:
        stored_at = timezone.now() - timedelta(minutes=minutes_ago)
        return self.store_result(self.picture, stored_at=stored_at, has_preview=False, **options)

    def listed(self) -> list[str]:
        return [result["id"] for result in self.request(f"{SLOT}?format=json").json()["results"]]

    def tiles(self, text: str) -> list[str]:
        return re.findall(r'data-id="([\w-]+)"', text)

    def ids(self, *results: MediaObject) -> list[str]:
        return [str(result.view_id) for result in results]


class GalleryTests(GalleryTestCase):
    def test_the_newest_results_of_the_slot_are_on_show_newest_first(self) -> None:
        results = [self.add(minutes) for minutes in range(12)]
        self.add(is_listed=False)
        self.add(slot_id="slot-002")
        self.add(60 * 80)
        self.assertEqual(self.listed(), self.ids(*results[:10]))
        page = self.request(SLOT, Accept=BROWSER).body.decode()
        self.assertEqual(self.tiles(page), self.ids(*results[:10]))
        change_settings({"gallery_size": 3}, by="serg")
        self.assertEqual(self.listed(), self.ids(*results[:3]))

    def test_a_tile_is_a_lazy_preview_that_leads_to_the_guest_page(self) -> None:
        shown = self.add().view_id
        page = self.request(SLOT, Accept=BROWSER, Accept_Language="ru").body.decode()
        page = " ".join(page.split())
        self.assertIn(f'href="/public/results/{shown}/page"', page)
        self.assertIn(f'src="/public/results/{shown}/preview" loading="lazy"', page)
        self.assertIn("Летний &lt;бал&gt;", page)
        self.assertIn('aria-live="polite"', page)

    def test_guests_read_the_title_that_is_theirs_and_never_the_working_name(self) -> None:
        shown, title = self.add().view_id, "Свадьба <А & Б>"
        pages = (SLOT, f"{SLOT}/slideshow", f"/public/results/{shown}/page")
        alone = self.request(pages[2], Accept=BROWSER, Accept_Language="ru").body.decode()
        self.assertNotIn("Летний", alone)
        Slot.objects.filter(pk="slot-001").update(public_title=title)
        cache.clear()
        for path in pages:
            with self.subTest(path):
                text = self.request(path, Accept=BROWSER, Accept_Language="ru").body.decode()
                self.assertIn("Свадьба &lt;А &amp; Б&gt;", text)
                self.assertNotIn("Летний", text)
        self.assertIn('property="og:title" content="Свадьба', text)
        told = self.request(f"{SLOT}?format=json").json()
        self.assertEqual(told["display_name"], title)

    def test_it_can_be_looked_for_without_being_read(self) -> None:
        self.assertEqual(self.request(SLOT, "head").status_code, 200)
        change_settings({"galleries": "closed"}, by="serg")
        self.assertEqual(self.request(SLOT, "head").status_code, 404)

    def test_what_a_guest_deletes_is_gone_from_the_gallery(self) -> None:
        kept, gone = self.add(1), self.add()
        assert gone.job_id
        delete_result(gone.job_id, by="guest")
        self.assertEqual(self.listed(), self.ids(kept))

    def test_pages_have_the_guests_headers_and_no_cookie(self) -> None:
        for tail in ("", "/slideshow"):
            page = self.request(f"{SLOT}{tail}", Accept=BROWSER, Accept_Language="en")
            self.assertEqual(page["X-Robots-Tag"], "noindex, nofollow")
            self.assertEqual(page["Cache-Control"], "private, no-cache")
            self.assertIn("script-src 'self'", page["Content-Security-Policy"])
            self.assertFalse(page.cookies)
            text = page.body.decode()
            self.assertIn('<html lang="en">', text)
            self.assertNotRegex(text, r'(?:src|href)="(?:https?:)?//')
            self.assertNotRegex(text, r"<style|\sstyle=|\son\w+=|<script(?! src)")

    @override_settings(PUBLIC_BASE_URL="https://photos.example.com")
    def test_programs_get_json_with_absolute_links(self) -> None:
        media = self.add()
        told = self.request(f"{SLOT}?format=json", Accept=BROWSER).json()
        self.assertEqual((told["slot_id"], told["display_name"]), ("slot-001", "Летний <бал>"))
        (result,) = told["results"]
        link = f"https://photos.example.com/public/results/{media.view_id}"
        self.assertEqual(result["result_url"], link)
        self.assertEqual(result["preview_url"], f"{link}/preview")
        self.assertEqual(result["page_url"], f"{link}/page")
        self.assertEqual(parse_datetime(result["created_at"]), media.created_at)
        self.assertEqual(parse_datetime(result["expires_at"]), media.expires_at)

    def test_what_is_published_shows_the_picture_and_cannot_delete_it(self) -> None:
        media = self.add()
        seen = self.request(f"{SLOT}?format=json").content.decode()
        seen += self.request(SLOT, Accept=BROWSER).content.decode()
        self.assertNotIn(str(media.job_id), seen)
        self.assertNotIn(str(media.pk), seen)
        for published in set(re.findall(r"[0-9a-f-]{36}", seen)):
            link = f"/public/results/{published}"
            for tail in ("", "/page", "/preview", "/qr.svg", "/share.jpg"):
                answer = self.request(f"{link}{tail}")
                self.assertEqual(answer.status_code, 200, tail)
                self.assertNotIn(str(media.job_id), str(answer.headers), tail)
                self.assertNotIn(str(media.job_id).encode(), answer.body, tail)
            refused = (self.request(link, "delete"), self.request(f"{link}/delete", "post"))
            for answer in refused:
                self.assertEqual(answer.json()["failure_reason"], "forbidden")
            self.assertEqual(self.request(f"{link}/delete", Accept=BROWSER).status_code, 403)
            self.assertEqual(self.request(f"/api/jobs/{published}").status_code, 404)
        self.assertEqual(self.listed(), self.ids(media))
        self.assertEqual(self.request(f"/public/results/{media.job_id}", "delete").status_code, 204)
        self.assertEqual(self.request(f"/public/results/{media.view_id}").status_code, 410)

    def test_a_new_secret_key_keeps_published_links_while_the_earlier_one_is_known(self) -> None:
        link = f"/public/results/{self.add().view_id}"
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.assertEqual(self.request(link).status_code, 200)
            self.assertEqual(self.request(link, "delete").status_code, 403)
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
            self.assertEqual(self.request(link).status_code, 404)

    def test_a_slot_without_a_name_goes_by_its_number(self) -> None:
        Slot.objects.update(display_name="")
        self.assertEqual(self.request(f"{SLOT}?format=json").json()["display_name"], "slot-001")

    @override_settings(PUBLIC_BASE_URL="https://photos.example.com")
    def test_the_galleries_code_leads_to_the_gallery(self) -> None:
        code = self.request(f"{SLOT}/qr.svg")
        self.assertEqual(code.body, render_qr_svg(f"https://photos.example.com{SLOT}"))

    def test_an_unknown_format_is_refused(self) -> None:
        answer = self.request(f"{SLOT}?format=xml")
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(answer.json()["failure_reason"], "invalid_request")


class PollingTests(GalleryTestCase):
    def test_who_has_it_already_is_told_so_until_something_changes(self) -> None:
        self.add(1)
        for kind in ("fragment", "json"):
            first = self.request(f"{SLOT}?format={kind}")
            same = self.request(f"{SLOT}?format={kind}", If_None_Match=first["ETag"])
            self.assertEqual((same.status_code, same.body), (304, b""))
            self.assertEqual(same["ETag"], first["ETag"])
            self.add()
            news = self.request(f"{SLOT}?format={kind}", If_None_Match=first["ETag"])
            self.assertEqual(news.status_code, 200)
            self.assertNotEqual(news["ETag"], first["ETag"])

    def test_another_language_or_form_is_another_answer(self) -> None:
        tags = {
            self.request(f"{SLOT}?format={kind}", Accept_Language=language)["ETag"]
            for kind in ("fragment", "json")
            for language in ("ru", "en")
        }
        self.assertEqual(len(tags), 4)

    def test_the_list_alone_is_no_page(self) -> None:
        media = self.add()
        text = self.request(f"{SLOT}?format=fragment").body.decode()
        self.assertTrue(text.startswith('<ul class="tiles" id="results">'), text[:80])
        self.assertEqual(self.tiles(text), self.ids(media))

    def test_a_hall_of_phones_costs_one_look_a_second(self) -> None:
        self.add()
        with override_settings(GALLERY_FRESH_SECONDS=1):
            with self.assertNumQueries(3):
                first = self.request(f"{SLOT}?format=fragment")
            with self.assertNumQueries(0):
                for _ in range(20):
                    same = self.request(f"{SLOT}?format=fragment", If_None_Match=first["ETag"])
                    self.assertEqual(same.status_code, 304)


class ClosedTests(GalleryTestCase):
    def assert_closed(self, reason: str = "gallery_closed", slot: str = SLOT) -> None:
        for tail in TAILS:
            with self.subTest(tail=tail):
                told = self.request(f"{slot}{tail}", Accept="*/*")
                self.assertEqual(told.status_code, 404)
                self.assertEqual(told.json()["failure_reason"], reason)
        page = self.request(slot, Accept=BROWSER, Accept_Language="ru")
        self.assertEqual(page.status_code, 404)
        self.assertIn("Галерея закрыта", page.body.decode())
        self.assertNotIn("бал", page.body.decode())
        self.assertNotIn(slot.rpartition("/")[2], page.body.decode())

    def assert_open(self) -> None:
        for tail in TAILS:
            self.assertEqual(self.request(f"{SLOT}{tail}").status_code, 200)

    def test_an_active_slots_gallery_is_open(self) -> None:
        self.add()
        self.assert_open()

    def test_a_switched_off_slot_has_none(self) -> None:
        Slot.objects.update(is_active=False)
        self.assert_closed()

    def test_the_slots_switch_closes_it(self) -> None:
        Slot.objects.update(gallery_mode="closed")
        self.assert_closed()

    def test_it_is_open_until_its_time(self) -> None:
        Slot.objects.update(gallery_until=timezone.now() + timedelta(minutes=1))
        self.assert_open()
        Slot.objects.update(gallery_until=timezone.now())
        self.assert_closed()

    def test_one_setting_closes_all(self) -> None:
        change_settings({"galleries": "closed"}, by="serg")
        self.assert_closed()
        change_settings({"galleries": "open"}, by="serg")
        self.assert_open()

    def test_a_closed_gallery_leaves_each_guests_own_link_alone(self) -> None:
        media = self.add()
        Slot.objects.update(gallery_mode="closed")
        self.assertEqual(self.get(media, "/page").status_code, 200)

    def test_a_slot_that_is_none_looks_closed_too(self) -> None:
        for slot in ("slot-016", "x" * 300, "%00", "SLOT-001"):
            self.assert_closed("slot_not_found", f"/public/slots/{slot}")
