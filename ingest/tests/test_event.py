"""The event's page, capture's page, and the settings page's buttons, over HTTP."""

from datetime import date, timedelta
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.capture.recorder import start_capture
from ingest.cleanup import clean_up
from ingest.models import Capture, CapturedRequest, Job
from ingest.readiness import CHECKS
from ingest.readiness.services import check_provider_key
from ingest.tests.support import PASSWORD, IngestTestCase
from photochanger.db import in_db
from photochanger.testing.client import AsyncClient, Client
from photochanger.testing.marks import both_databases
from slots.checked_keys.listed_models import load_listed_models
from slots.models import Setting, Slot
from slots.provider_keys import set_provider_key

pytestmark = both_databases

EVENT, CAPTURE = "/admin/event/", "/admin/capture/"


class ConsoleTestCase(IngestTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg")

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.serg)

    def level(self, name: str) -> str:
        """The level of a check's result, over HTTP."""
        page = self.client.get(f"{EVENT}check/{name}/", headers={"Accept-Language": "en"})
        self.assertEqual(page.status_code, 200)
        return str(page.context["verdict"].level)

    def words(self, name: str) -> str:
        return str(CHECKS[name]().words)

    def on(self, **columns: object) -> None:
        Slot.objects.filter(pk="slot-001").update(**columns)


class EventTests(ConsoleTestCase):
    def test_the_page_loads_each_check_by_itself_and_shows_what_to_type(self) -> None:
        with self.assertNumQueries(7):
            page = self.client.get(EVENT, headers={"Accept-Language": "en"})
        for name in [*CHECKS, "key-gemini"]:
            self.assertContains(page, f'hx-get="{EVENT}check/{name}/"')
        self.assertNotContains(page, "key-turbotext")
        self.assertContains(page, 'value="http://testserver/ingest/slot-001"')
        self.assertContains(page, "<b>58 s</b>")
        self.assertContains(page, "<b>15 MB</b>")
        self.assertNotContains(page, PASSWORD)

    def test_a_slots_own_time_limit_replaces_the_general_one(self) -> None:
        self.on(sync_response_seconds=30)
        page = self.client.get(EVENT, headers={"Accept-Language": "en"})
        self.assertContains(page, "<b>40 s</b>")

    def test_an_unknown_check_is_404(self) -> None:
        for name in ("nothing", "key-nobody"):
            self.assertEqual(self.client.get(f"{EVENT}check/{name}/").status_code, 404)

    def test_keys(self) -> None:
        self.assertEqual(self.level("key-gemini"), "ok")
        set_provider_key("gemini", "bad-key-of-nobody", by="serg")
        self.assertEqual(self.level("key-gemini"), "fail")
        self.assertIn("working key", str(check_provider_key("gemini").to_do))
        with override_settings(GEMINI_BASE_URL="http://127.0.0.1:1"):  # no new key would help
            away = check_provider_key("gemini")
        self.assertEqual((away.level, away.to_do), ("fail", ""))
        with override_settings(GEMINI_API_KEY=""):
            set_provider_key("gemini", "", by="serg")
            self.assertIn("No key is set", str(check_provider_key("gemini").words))

    def test_models(self) -> None:
        self.assertEqual(self.level("models"), "ok")
        self.on(settings={"prompt": "x", "model": "gemini-3.1-flash-image"})
        self.assertEqual(self.level("models"), "fail")
        self.on(settings={"prompt": "x", "model": "gemini-2.5-flash-image"})
        with mock.patch("django.utils.timezone.localdate", return_value=date(2027, 2, 1)):
            self.assertEqual(self.level("models"), "warn")
        set_provider_key("gemini", "sim-503", by="serg")
        self.assertEqual(self.level("models"), "warn")

    def test_a_check_of_the_key_is_kept_for_the_pages(self) -> None:
        self.assertIsNone(load_listed_models("gemini"))
        self.assertEqual(self.level("key-gemini"), "ok")
        listed = load_listed_models("gemini")
        assert listed is not None
        self.assertIn("gemini-3-pro-image", listed.ids)
        self.assertNotIn("gemini-3.1-flash-image", listed.ids)  # the simulator has retired it
        self.assertTrue(listed.is_gone_after("gemini-3.1-flash-image", date(2026, 10, 29)))
        set_provider_key("gemini", "another-key", by="serg")
        self.assertIsNone(load_listed_models("gemini"))

    async def test_a_busy_service_is_no_used_up_quota(self) -> None:
        await self.async_client.aforce_login(self.serg)
        await in_db(self.scenario, "429-bare")
        self.assertEqual((await self.post()).status_code, 503)
        self.assertEqual(await in_db(self.level, "quota"), "ok")
        page = await self.async_client.get("/admin/ingest/job/", headers={"Accept-Language": "en"})
        self.assertContains(page, "The AI service is busy right now.")
        self.assertNotContains(page, "quota is used up. Try again later or change the plan.\n")

    async def test_quota(self) -> None:
        await self.async_client.aforce_login(self.serg)
        self.assertEqual(await in_db(self.level, "quota"), "ok")
        await in_db(self.scenario, "429-daily")
        await self.post()
        self.assertEqual(await in_db(self.level, "quota"), "fail")
        await in_db(self.scenario, "ok")
        await self.post()
        self.assertEqual(await in_db(self.level, "quota"), "warn")

    def test_password(self) -> None:
        self.assertEqual(self.level("password"), "ok")
        Setting.objects.filter(pk="ingest_password_hash").delete()
        self.assertEqual(self.level("password"), "fail")
        self.on(ingest_password_hash="its own")
        self.assertEqual(self.level("password"), "ok")

    def test_no_check_costs_more_queries_for_more_slots(self) -> None:
        Slot.objects.update(is_active=True, settings={"prompt": "x"})
        for name in CHECKS:
            with CaptureQueriesContext(connection) as queries:
                CHECKS[name]()
            self.assertLess(len(queries), 7, name)

    def test_slots(self) -> None:
        self.assertEqual(self.level("slots"), "ok")
        self.on(settings={"prompt": ""})
        self.assertEqual(self.level("slots"), "fail")
        self.on(is_active=False)
        self.assertEqual(self.level("slots"), "fail")

    def test_galleries_are_a_choice_that_the_page_asks_for(self) -> None:
        self.assertEqual(self.level("galleries"), "ok")
        self.assertIn("sees all faces of slot-001", self.words("galleries"))
        self.on(gallery_mode="secret")
        self.assertIn("the secret link", self.words("galleries"))
        self.on(gallery_mode="closed")
        self.assertIn("gallery of slot-001 is closed", self.words("galleries"))

    def test_address(self) -> None:
        self.assertEqual(self.level("address"), "warn")
        with override_settings(PUBLIC_BASE_URL="http://192.168.1.5"):
            self.assertIn("in this network only", self.words("address"))
        with override_settings(PUBLIC_BASE_URL="https://photo.invalid.example"):
            self.assertEqual(self.level("address"), "warn")
        self.on(provider="turbotext", operation="style_transfer")
        self.assertEqual(self.level("address"), "fail")

    def test_disk_storage_clock_and_cleanup(self) -> None:
        for name in ("storage", "clock"):
            self.assertEqual(self.level(name), "ok")
        with mock.patch("ingest.readiness.server.disk_usage") as usage:
            for free, level in ((50 * 1024**3, "ok"), (1024**3, "warn"), (1024, "fail")):
                usage.return_value.free = free
                self.assertEqual(self.level("disk"), level)
        self.assertEqual(self.level("cleanup"), "warn")
        clean_up(by="cron")
        self.assertEqual(self.level("cleanup"), "ok")

    def test_a_wrong_clock_is_reported(self) -> None:
        with mock.patch("providers.checking.datetime") as clock:
            clock.now.return_value = timezone.now() + timedelta(minutes=5)
            self.assertEqual(self.level("clock"), "fail")

    async def test_a_trial_photo_goes_the_whole_way(self) -> None:
        await self.async_client.aforce_login(self.serg)
        page = await self.async_client.post(f"{EVENT}try/slot-001/")
        self.assertContains(page, "check ok")
        job = await Job.objects.aget()
        self.assertEqual((job.status, job.source), ("done", "ui_test"))
        await in_db(set_provider_key, "gemini", "bad-key-of-nobody", by="serg")
        page = await self.async_client.post(f"{EVENT}try/slot-001/")
        self.assertContains(page, "check fail")
        page = await self.async_client.post(f"{EVENT}try/slot-099/")
        self.assertContains(page, "check fail")

    async def test_no_other_site_can_send_a_test_photo(self) -> None:
        client = AsyncClient(enforce_csrf_checks=True)
        await client.aforce_login(self.serg)
        page = await client.post(f"{EVENT}try/slot-001/")
        self.assertEqual(page.status_code, 403)
        self.assertEqual((await client.get(f"{EVENT}try/slot-001/")).status_code, 404)

    async def test_a_test_photo_is_for_administrators(self) -> None:
        page = await self.async_client.post(f"{EVENT}try/slot-001/")
        self.assertEqual(page.status_code, 302)
        self.assertEqual(await Job.objects.acount(), 0)


class CapturePageTests(ConsoleTestCase):
    def test_a_capture_is_started_stopped_and_deleted(self) -> None:
        self.assertContains(self.client.get(CAPTURE), "id_wanted")
        self.client.post(CAPTURE, {"slot": "slot-001", "wanted": 3, "act": "start"})
        capture = Capture.objects.get()
        self.assertEqual((capture.left, capture.started_by), (3, "serg"))
        self.assertContains(self.client.get(CAPTURE), "/admin/capture/news/?after=0")
        self.client.post(CAPTURE, {"act": "stop"})
        self.assertFalse(Capture.objects.get().is_running)
        self.client.post(CAPTURE, {"act": "forget"})
        self.assertTrue(Capture.objects.exists())
        self.client.post(CAPTURE, {"act": "forget", "confirmed": "1"})
        self.assertFalse(Capture.objects.exists())

    def test_the_number_of_requests_is_limited(self) -> None:
        for wanted in ("0", "51", "x"):
            answer = self.client.post(CAPTURE, {"slot": "slot-001", "wanted": wanted})
            self.assertContains(answer, 'id="id_wanted_error"')
        self.assertFalse(Capture.objects.exists())

    async def test_each_request_is_sent_to_the_page_once(self) -> None:
        await in_db(start_capture, self.slot, 3, by="serg")
        await self.post(password="wrong-guess", id="CY04N")
        await self.async_client.aforce_login(self.serg)
        page = await self.async_client.get(f"{CAPTURE}news/?after=0")
        self.assertContains(page, "invalid_password")
        self.assertNotContains(page, "CY04N")
        last = (await CapturedRequest.objects.aget()).pk
        page = await self.async_client.get(f"{CAPTURE}news/?after={last}")
        self.assertNotContains(page, "invalid_password")
        self.assertContains(page, f"?after={last}")


class SettingsButtonTests(ConsoleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.check = "/admin/settings/key/gemini/check/"

    async def test_a_typed_key_is_checked_before_it_is_saved(self) -> None:
        await self.async_client.aforce_login(self.serg)
        page = await self.async_client.post(self.check, {"key_of_gemini": "bad-key-1"})
        self.assertContains(page, "check fail")
        self.assertNotContains(page, "bad-key-1")
        page = await self.async_client.post(self.check, {"key_of_gemini": "two words"})
        self.assertContains(page, "check fail")
        page = await self.async_client.post(self.check, {"key_of_gemini": "sim-ok"})
        self.assertContains(page, "check ok")
        self.assertFalse(await Setting.objects.filter(pk="provider.gemini").aexists())

    async def test_without_a_typed_key_the_stored_one_is_checked(self) -> None:
        await self.async_client.aforce_login(self.serg)
        self.assertContains(await self.async_client.post(self.check), "check ok")
        await in_db(set_provider_key, "gemini", "sim-503", by="serg")
        self.assertContains(await self.async_client.post(self.check), "check fail")
        missing = await self.async_client.post("/admin/settings/key/nobody/check/")
        self.assertEqual(missing.status_code, 404)

    def test_the_cache_is_cleaned_only_when_confirmed(self) -> None:
        clean = "/admin/settings/cache/clean/"
        self.assertContains(self.client.post(clean), "confirmed")
        self.assertFalse(Setting.objects.filter(pk="cleanup.last").exists())
        hx = {"HX-Request": "true"}
        page = self.client.post(clean, {"confirmed": "1"}, headers=hx)
        self.assertContains(page, 'id="new-toasts"')
        self.assertContains(self.client.get(clean, headers=hx), "serg")


class LinkTests(ConsoleTestCase):
    """How fast the ways of a photo are: measured with real bytes, of which nothing stays."""

    LINK = f"{EVENT}link/"

    def test_bytes_are_taken_and_given_and_no_more_than_four_megabytes(self) -> None:
        sent = self.client.post(
            self.LINK, b"x" * 3_000_000, content_type="application/octet-stream"
        )
        self.assertEqual((sent.status_code, sent.content), (204, b""))
        self.assertEqual(len(self.client.get(f"{self.LINK}?bytes=300000").content), 300_000)
        for wrong in ("4194305", "-1", "x", "", "9" * 12):
            self.assertEqual(self.client.get(f"{self.LINK}?bytes={wrong}").status_code, 400)

    def test_only_administrators_with_a_token_may_do_it(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.serg)
        for path in (self.LINK, f"{self.LINK}gemini/", f"{EVENT}phone/"):
            with self.subTest(path=path):
                self.assertEqual(strict.post(path).status_code, 403)
        self.client.logout()
        for path in (f"{self.LINK}?bytes=1", f"{self.LINK}verdict/?up=1&down=1"):
            self.assertEqual(self.client.get(path).status_code, 302)

    def test_what_was_measured_says_what_to_set(self) -> None:
        english = {"Accept-Language": "en"}
        for up_megabits, words in {
            100: "The booth may send photos as large as it makes them.",
            25: "maximum picture size to 4800 px",
            9: "maximum picture size to 3000 px",
            1: "2400 px, and give it a cable",
        }.items():
            rate = up_megabits * 1e6 / 8
            page = self.client.get(f"{self.LINK}verdict/?up={rate}&down=1e7", headers=english)
            self.assertContains(page, words)
        for wrong in ("up=0&down=1", "up=nan&down=1", "up=1e99&down=1", "up=1", "up=x&down=1"):
            self.assertEqual(self.client.get(f"{self.LINK}verdict/?{wrong}").status_code, 400)

    def test_a_megabyte_goes_to_the_service_in_a_call_that_makes_no_picture(self) -> None:
        answer = self.client.post(f"{self.LINK}gemini/", headers={"Accept-Language": "en"})
        self.assertContains(answer, "Mbit/s: a photo made ready for it is sent in")
        self.assertEqual(Job.objects.count(), 0)
        answer = self.client.post(f"{self.LINK}turbotext/", headers={"Accept-Language": "en"})
        self.assertContains(answer, "The service fetches photos itself")
        with override_settings(GEMINI_BASE_URL="http://127.0.0.1:1"):
            answer = self.client.post(f"{self.LINK}gemini/", headers={"Accept-Language": "en"})
        self.assertContains(answer, "cannot be reached")
        self.assertEqual(self.client.post(f"{self.LINK}nobody/").status_code, 404)

    def test_whom_to_call_stands_on_the_sheet(self) -> None:
        self.client.post(f"{EVENT}phone/", {"phone": "Сергей, +7 900 000-00-00"})
        self.assertContains(self.client.get(EVENT), "<b>Сергей, +7 900 000-00-00</b>")
        self.client.post(f"{EVENT}phone/", {"phone": "<script>\n"})
        self.assertNotContains(self.client.get(EVENT), "<script>\n")

    def test_the_sheet_has_codes_for_galleries_that_are_open(self) -> None:
        with override_settings(PUBLIC_BASE_URL="https://photos.example"):
            self.assertContains(self.client.get(EVENT), "/public/slots/slot-001/slideshow/qr.svg")
            code = self.client.get("/public/slots/slot-001/slideshow/qr.svg")
            self.assertEqual((code.status_code, code["Content-Type"]), (200, "image/svg+xml"))
            self.on(gallery_mode="secret")
            self.assertNotContains(self.client.get(EVENT), "/public/slots/slot-001")
            token = Slot.objects.get(pk="slot-001").gallery_token
            for name in ("qr.svg", "slideshow/qr.svg"):
                self.assertContains(self.client.get(EVENT), f"/public/slots/{token}/{name}")
            self.on(gallery_mode="closed")
            self.assertNotContains(self.client.get(EVENT), "qr.svg")
