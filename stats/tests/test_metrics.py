"""What /metrics says, and to whom."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ingest.tests.support import IngestTestCase, jpeg
from media.models import MediaObject
from photochanger import metrics
from photochanger.db import in_db
from photochanger.testing.marks import both_databases
from providers.gemini.models import DEFAULT_GEMINI_MODEL, GEMINI_BY_ID
from slots.models import Slot
from slots.platform_settings import change_settings
from stats.metrics import STATE, initialize_counters
from stats.tests.support import StatsTestCase, open_job

RETIRED = "gemini-2.5-flash-image"
TOKEN = "a-token-of-a-scraper"


class Scrape:
    """The samples of one answer."""

    def __init__(self, text: str) -> None:
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def all(self, name: str, **labels: str) -> list[float]:
        return [
            sample.value
            for sample in self.samples
            if sample.name == f"photochanger_{name}" and labels.items() <= sample.labels.items()
        ]

    def one(self, name: str, **labels: str) -> float:
        (value,) = self.all(name, **labels)
        return value

    def sum(self, name: str, **labels: str) -> float:
        return sum(self.all(name, **labels))


class Scraping(SimpleTestCase):
    def scrape(self) -> Scrape:
        STATE.clear()
        self.addCleanup(STATE.clear)
        answer = self.client.get("/metrics")
        self.assertEqual(answer.status_code, 200)
        return Scrape(answer.content.decode())


@both_databases
class DatabaseFiguresTests(StatsTestCase, Scraping):
    def test_photos_in_flight_and_places(self) -> None:
        self.store(open_job(), open_job(), open_job("slot-002"), open_job("slot-002", ago_s=100))
        change_settings({"max_jobs_per_slot": 3}, by="test")
        seen = self.scrape()
        self.assertEqual(seen.one("photos_in_flight", slot="slot-001"), 2)
        self.assertEqual(seen.one("photos_in_flight", slot="slot-002"), 1)
        self.assertEqual(seen.one("photos_in_flight", slot="slot-015"), 0)
        self.assertEqual(seen.one("photos_in_flight_limit", of="slot"), 3)
        self.assertEqual(seen.one("photos_in_flight_limit", of="provider"), 30)
        self.assertEqual(seen.sum("slot_active"), 2)
        self.assertEqual(seen.one("sync_response_seconds"), 48)
        self.assertEqual(seen.one("database_up"), 1)

    def test_stored_bytes_and_the_disk(self) -> None:
        for number in (1, 2):
            self.stored(f"results/{number}", MediaObject.Kind.RESULT)
        self.stored("previews/1", MediaObject.Kind.PREVIEW)
        self.stored("gone", MediaObject.Kind.PREVIEW, cleaned_at=timezone.now())
        seen = self.scrape()
        self.assertEqual(seen.one("media_bytes", kind="result"), 2000)
        self.assertEqual(seen.one("media_files", kind="preview"), 1)
        usage = shutil.disk_usage(tempfile.gettempdir())
        self.assertEqual(seen.one("media_disk_size_bytes"), usage.total)
        self.assertGreater(seen.one("media_disk_free_bytes"), 0)

    def stored(self, path: str, kind: str, **columns: Any) -> None:
        columns = {"slot_id": "slot-001", "mime": "image/jpeg", "size_bytes": 1000} | columns
        MediaObject.objects.create(path=path, kind=kind, **columns)

    def test_the_last_cleanup(self) -> None:
        self.assertEqual(self.scrape().one("cleanup_last_run_timestamp_seconds"), 0)  # never
        with override_settings(MEDIA_ROOT=self.empty_folder()):
            self.stored(
                *("results/slot-001/x/payload.jpg", MediaObject.Kind.RESULT),
                expires_at=timezone.now() - timedelta(hours=1),
            )
            self.store(open_job(ago_s=500))
            call_command("cleanup_media", verbosity=0)
        seen = self.scrape()
        age_s = timezone.now().timestamp() - seen.one("cleanup_last_run_timestamp_seconds")
        self.assertLess(age_s, 600)
        self.assertEqual(seen.one("cleanup_last_removed_files", kind="result"), 1)
        self.assertEqual(seen.one("cleanup_last_freed_bytes"), 1000)
        self.assertEqual(seen.one("cleanup_last_closed_photos"), 1)
        self.assertEqual(seen.one("cleanup_last_failures"), 0)

    def empty_folder(self) -> Path:
        return Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_days_until_the_models_in_use_are_switched_off(self) -> None:
        Slot.objects.filter(pk="slot-002").update(settings={"prompt": "x", "model": RETIRED})
        Slot.objects.filter(pk="slot-003").update(settings={"prompt": "x", "model": RETIRED})  # off
        Slot.objects.filter(pk="slot-001").update(settings={"prompt": "x", "model": "own-model"})
        retires_on = GEMINI_BY_ID[RETIRED].retires_on
        assert retires_on
        days = (retires_on - timezone.localdate()).days
        seen = self.scrape()
        self.assertEqual(seen.all("model_retirement_days"), [days])
        self.assertEqual(seen.one("model_retirement_days", slot="slot-002", model=RETIRED), days)
        self.assertIsNone(GEMINI_BY_ID[DEFAULT_GEMINI_MODEL].retires_on or None)

    def test_one_reading_takes_few_queries_and_serves_the_next_scrape(self) -> None:
        STATE.clear()
        with self.assertNumQueries(7):
            self.client.get("/metrics")
        with self.assertNumQueries(0):
            self.client.get("/metrics")
        STATE.clear()

    def test_an_unavailable_database_is_shown_with_the_other_metrics(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE settings RENAME TO settings_away")
        try:
            with self.assertLogs("stats.metrics", "ERROR"):
                seen = self.scrape()
        finally:
            connection.needs_rollback = False
        self.assertEqual(seen.one("database_up"), 0)
        self.assertGreater(seen.one("media_disk_size_bytes"), 0)


@both_databases
class PhotoFiguresTests(IngestTestCase):
    """The counters are of the whole process: each test checks what was added."""

    def counted(self) -> Scrape:
        registry = CollectorRegistry()
        for metric in (
            *(metrics.photos, metrics.durations, metrics.overheads, metrics.calls),
            *(metrics.hashes, metrics.replays, metrics.full, metrics.fallbacks, metrics.refusals),
            *(metrics.call_seconds, metrics.in_progress),
        ):
            registry.register(metric)
        return Scrape(generate_latest(registry).decode())

    def setUp(self) -> None:
        super().setUp()
        self.before = self.counted()

    def added(self, name: str, **labels: str) -> float:
        return self.counted().sum(name, **labels) - self.before.sum(name, **labels)

    async def test_a_picture(self) -> None:
        photo = jpeg()
        await self.post(photo, hash="0" * 40)
        await self.post(photo)
        done = {"slot": "slot-001", "provider": "gemini", "status": "done", "reason": ""}
        self.assertEqual(self.added("photos_total", source="ingest", **done), 1)
        self.assertEqual(self.added("ingest_duration_seconds_count", slot="slot-001"), 1)
        self.assertEqual(self.added("ingest_overhead_seconds_count"), 1)
        self.assertEqual(self.added("provider_calls_total", provider="gemini", reason=""), 1)
        self.assertEqual(self.added("provider_call_seconds_count", provider="gemini"), 1)
        self.assertEqual(self.added("photo_hashes_total", recipe="none"), 1)
        self.assertEqual(self.added("photo_replays_total", slot="slot-001"), 1)
        self.assertEqual(self.counted().one("photos_in_progress"), 0)

    async def test_a_failure_after_two_calls(self) -> None:
        await self.set_scenario("no-image")
        answer = await self.post()
        self.assertEqual(answer.status_code, 502)
        failed = {"slot": "slot-001", "status": "failed", "reason": "bad_response"}
        self.assertEqual(self.added("photos_total", **failed), 1)
        self.assertGreater(self.added("provider_calls_total", reason="bad_response"), 1)
        self.assertEqual(self.added("http_refused_total", status="502", reason="bad_response"), 1)
        self.assertEqual(self.added("ingest_overhead_seconds_count"), 0)  # of pictures only

    async def test_the_booths_own_photo_instead(self) -> None:
        await Slot.objects.filter(pk="slot-001").aupdate(on_failure="original")
        await self.set_scenario("400-key")
        self.assertEqual((await self.post()).status_code, 200)
        self.assertEqual(self.added("photo_fallbacks_total", slot="slot-001"), 1)
        self.assertEqual(self.added("photos_total", reason="provider_auth"), 1)

    async def set_scenario(self, name: str) -> None:
        settings = {"prompt": f"As an oil painting [sim:{name}]"}
        await Slot.objects.filter(pk="slot-001").aupdate(settings=settings)

    async def test_no_free_place(self) -> None:
        await in_db(change_settings, {"max_jobs_per_slot": 1}, by="test")
        await in_db(open_job().save)
        self.assertEqual((await self.post()).status_code, 429)
        self.assertEqual(self.added("queue_full_total", slot="slot-001", limit="slot"), 1)
        self.assertEqual(self.added("http_refused_total", status="429"), 1)

    async def test_text_from_a_link_never_becomes_a_label(self) -> None:
        await self.post(path="/ingest/slot-099")
        await self.async_client.get("/no-such-page-at-all")
        text = generate_latest().decode()
        self.assertNotIn("slot-099", text)
        self.assertNotIn("no-such-page", text)


class AlertsBeginWithZeroTests(SimpleTestCase):
    def test_every_outcome_of_every_slot_has_a_series_before_the_first_photo(self) -> None:
        initialize_counters()
        seen = Scrape(generate_latest().decode())
        for provider in ("gemini", "turbotext"):
            labels = {"provider": provider, "source": "ingest"}
            for reason in ("provider_auth", "quota", "timeout", "provider_config", ""):
                with self.subTest(provider=provider, reason=reason):
                    self.assertEqual(len(seen.all("photos_total", reason=reason, **labels)), 15)
        self.assertEqual(len(seen.all("queue_full_total")), 30)
        self.assertTrue(seen.all("ingest_answers_total", status="504"))


@both_databases
class PageFiguresTests(TestCase):
    async def test_pages_are_counted_on_the_event_loop_and_photos_are_not(self) -> None:
        name = "django_http_requests_total_by_view_transport_method_total"
        before = generate_latest().decode()
        await self.async_client.get("/admin/")
        await self.async_client.get("/public/results/nothing")
        after = generate_latest().decode()

        def count(text: str, view: str) -> float:
            return sum(
                sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == name and sample.labels["view"] == view
            )

        self.assertEqual(count(after, "admin:index") - count(before, "admin:index"), 1)
        self.assertEqual(count(after, "api:public_result"), 0)


@both_databases
@override_settings(METRICS_TOKEN=TOKEN, METRICS_NETWORKS=["10.1.0.0/16"])
class AccessTests(TestCase):
    def ask(self, address: str = "192.0.2.7", **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get("/metrics", headers=headers, REMOTE_ADDR=address)

    def assert_open(self, answer: HttpResponse) -> None:
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer["Content-Type"].startswith("text/plain; version=0.0.4"))

    def assert_closed(self, answer: HttpResponse) -> None:
        self.assertEqual(answer.status_code, 401)
        self.assertEqual(answer.json()["failure_reason"], "unauthorized")
        self.assertEqual(answer["WWW-Authenticate"], "Bearer")
        self.assertNotIn(b"photochanger_", answer.content)

    def test_the_token_admits_from_anywhere(self) -> None:
        self.assert_open(self.ask(authorization=f"Bearer {TOKEN}"))
        self.assert_open(self.ask(authorization=f"bearer {TOKEN}", x_forwarded_for="1.2.3.4"))

    def test_other_tokens_are_refused(self) -> None:
        for header in ("", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"):
            with self.subTest(header):
                self.assert_closed(self.ask(authorization=header))

    @override_settings(METRICS_TOKEN="")
    def test_an_empty_token_admits_nobody(self) -> None:
        self.assert_closed(self.ask(authorization="Bearer "))
        self.assert_closed(self.ask(authorization="Bearer"))

    def test_a_listed_network_is_admitted_without_a_token(self) -> None:
        self.assert_open(self.ask("10.1.255.1"))
        self.assert_open(self.ask("::ffff:10.1.0.1"))
        for address in ("10.2.0.1", "127.0.0.1", "::1", "", "unknown"):
            with self.subTest(address):
                self.assert_closed(self.ask(address))

    def test_an_untrusted_proxy_admits_nobody(self) -> None:
        for header in ("X-Forwarded-For", "Forwarded"):
            self.assert_closed(self.ask("10.1.0.1", **{header: "for=10.1.0.1"}))
        with override_settings(TRUSTED_PROXIES=["10.1.0.1"]):  # the address is the caller's then
            self.assert_open(self.ask("10.1.0.9", x_forwarded_for="10.1.0.9"))

    def test_by_default_only_this_machine_is_admitted(self) -> None:
        with override_settings(METRICS_NETWORKS=["127.0.0.0/8", "::1/128"]):
            self.assert_open(self.ask("127.0.0.1"))
            self.assert_open(self.ask("::1"))
            self.assert_closed(self.ask("10.1.0.1"))

    def test_wrong_settings_stop_the_start(self) -> None:
        for wrong, found in (
            ({"METRICS_TOKEN": "t0ken"}, "photochanger.E020"),
            ({"METRICS_NETWORKS": ["10.0.0.0/33"]}, "photochanger.E021"),
            ({"METRICS_NETWORKS": ["localhost"]}, "photochanger.E021"),
        ):
            with self.subTest(wrong), override_settings(**wrong):
                (words,) = (message.msg for message in run_checks() if message.id == found)
                self.assertNotIn(str(*wrong.values()).strip("[]'"), words)
