"""What /healthz says of each part, and how quickly."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import TestCase, override_settings
from django.utils import timezone

from ingest.cleanup import LAST_RUN
from media.tests.test_s3 import NOWHERE, Server, stored_at
from photochanger.db import in_db
from photochanger.testing.marks import both_databases, live_server
from photochanger.testing.waiting import PATIENCE_S
from providers import simulator
from providers.simulator import Simulator
from slots.models import Slot
from slots.provider_keys import set_provider_key
from slots.setting_rows import load_fact, store_fact

pytestmark = both_databases

KEY = "AIza-live-secret-key"
Usage = namedtuple("Usage", "total used free")


class HealthCase(TestCase):
    provider: Simulator

    @classmethod
    def setUpTestData(cls) -> None:
        Slot.objects.filter(pk="slot-001").update(
            is_active=True, provider="gemini", settings={"prompt": "As an oil painting"}
        )

    def setUp(self) -> None:
        # Tests of what is slow have little patience; all others have as much as it takes.
        self.enterContext(mock.patch("stats.health.BUDGET_S", PATIENCE_S))
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(override_settings(MEDIA_ROOT=self.root))
        call_command("cleanup_media", verbosity=0)
        self.provider = self.enterContext(simulator.running(latency=0.0))
        self.enterContext(
            override_settings(GEMINI_BASE_URL=self.provider.url, GEMINI_API_KEY="sim-key")
        )

    async def ask(self, path: str = "/healthz") -> tuple[int, dict[str, Any]]:
        answer = await self.async_client.get(path)
        self.assertNotIn(KEY, answer.content.decode())
        self.assertEqual(answer["Cache-Control"], "no-store")
        return answer.status_code, answer.json()

    async def part(self, name: str) -> tuple[int, str, dict[str, Any]]:
        """HTTP status, the whole's word, and one part."""
        status, body = await self.ask()
        return status, body["status"], body["parts"][name]


class HealthTests(HealthCase):
    async def test_all_parts_are_ok(self) -> None:
        status, body = await self.ask()
        self.assertEqual((status, body["status"]), (200, "ok"), body)
        states = {name: part["state"] for name, part in body["parts"].items()}
        self.assertEqual(
            states,
            {
                **{
                    "database": "up",
                    "media": "writable",
                    "cleanup": "recent",
                    "gemini": "reachable",
                },
                "clock": "right",
                "faces": "absent",  # which is well: only figures are missing
            },
        )
        self.assertEqual((await self.ask("/healthz?strict=1"))[0], 200)
        self.assertEqual(list(self.root.iterdir()), [])  # no file of ours stays behind

    async def test_monitors_ask_with_head_too(self) -> None:
        self.assertEqual((await self.async_client.head("/healthz")).status_code, 200)

    async def test_they_are_only_read(self) -> None:
        for path in ("/livez", "/healthz", "/metrics"):
            for method in ("TRACE", "POST", "DELETE"):
                answer = await self.async_client.generic(method, path)
                self.assertEqual(answer.status_code, 405, (method, path))
                self.assertEqual(answer["Allow"], "GET, HEAD")

    async def test_a_provider_that_is_down_leaves_the_status_at_200(self) -> None:
        with override_settings(GEMINI_BASE_URL="http://127.0.0.1:1"):
            status, body, gemini = *(await self.ask()), None
            gemini = body["parts"]["gemini"]
            self.assertEqual((status, body["status"]), (200, "degraded"))
            self.assertEqual((gemini["ok"], gemini["state"]), (False, "network"))
            self.assertEqual((await self.ask("/healthz?strict=1"))[0], 503)

    async def test_a_refused_key_is_reported_and_a_new_one_is_checked_at_once(self) -> None:
        await in_db(set_provider_key, "gemini", "sim-400-key", by="test")
        _, word, gemini = await self.part("gemini")
        self.assertEqual((word, gemini["state"]), ("degraded", "provider_auth"), gemini)
        await in_db(set_provider_key, "gemini", KEY, by="test")
        await self.expire_results()
        self.assertEqual((await self.part("gemini"))[2]["state"], "reachable")

    async def expire_results(self) -> None:
        """As if a second had passed: our own parts are checked again."""
        from stats import health

        probes = health._probes_by_loop[asyncio.get_running_loop()]
        for probe in (probes.database, probes.media):
            probe.result_at -= 1.5

    async def test_a_slot_without_any_key(self) -> None:
        with override_settings(GEMINI_API_KEY=""):
            _, word, gemini = await self.part("gemini")
        self.assertEqual((word, gemini["state"]), ("degraded", "no_key"))

    async def test_only_providers_in_use_are_checked_and_not_each_time(self) -> None:
        for _ in range(5):
            _, body = await self.ask()
            await self.expire_results()
        self.assertNotIn("turbotext", body["parts"])
        self.assertEqual(len(self.provider.calls), 1)
        self.assertEqual(self.provider.calls[0].method, "GET")  # which costs nothing

    async def test_a_provider_that_hangs_is_not_waited_for(self) -> None:
        silent = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        silent.settimeout(PATIENCE_S)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        patience = mock.patch("stats.health.BUDGET_S", 1.0)
        with patience, override_settings(GEMINI_BASE_URL=url):
            for _ in range(2):
                status, word, gemini = await self.part("gemini")
                self.assertEqual((status, word, gemini["state"]), (200, "degraded", "slow"))
        self.enterContext(silent.accept()[0])
        silent.settimeout(0.05)
        with self.assertRaises(TimeoutError):  # what was begun is not begun a second time
            silent.accept()

    async def test_overdue_cleanup_is_reported(self) -> None:
        report = await in_db(load_fact, LAST_RUN)
        late = timezone.now() - timedelta(minutes=31)
        await in_db(store_fact, LAST_RUN, report | {"finished_at": late.isoformat()}, by="test")
        status, word, cleanup = await self.part("cleanup")
        self.assertEqual((status, word, cleanup["state"]), (200, "degraded", "late"))
        self.assertGreaterEqual(cleanup["age_s"], 31 * 60)

    async def test_cleanup_that_never_ran_is_reported(self) -> None:
        await in_db(store_fact, LAST_RUN, None, by="test")
        self.assertEqual((await self.part("cleanup"))[2]["state"], "never")


class NoPhotoCanBeTakenInTests(HealthCase):
    async def test_a_missing_media_folder(self) -> None:
        with override_settings(MEDIA_ROOT=self.root / "not-mounted"):
            status, word, media = await self.part("media")
        self.assertEqual((status, word), (503, "down"))
        self.assertEqual((media["ok"], media["state"]), (False, "unwritable"))
        self.assertNotIn("not-mounted", str(media))

    async def test_a_disk_that_is_full_or_nearly(self) -> None:
        gb = 10**9
        for free, status, state in ((0.05 * gb, 503, "full"), (5 * gb, 200, "low")):
            usage = Usage(100 * gb, 100 * gb - free, free)
            with mock.patch.object(shutil, "disk_usage", return_value=usage):
                seen, _, media = await self.part("media")
            self.assertEqual((seen, media["state"]), (status, state))
            self.assertEqual(media["free_bytes"], free)
            await HealthTests.expire_results(self)  # type: ignore[arg-type]

    @live_server
    async def test_a_bucket_instead_of_a_disk(self) -> None:
        with Server() as s3, stored_at(s3.url):
            _, _, media = await self.part("media")
            self.assertEqual((media["ok"], media["state"]), (True, "reachable"))
            self.assertEqual(s3.stored(), [])

    @live_server
    async def test_an_unavailable_bucket(self) -> None:
        with stored_at(NOWHERE), mock.patch("stats.health.BUDGET_S", 0.1):
            status, word, media = await self.part("media")
        self.assertEqual((status, word), (503, "down"))
        self.assertIn(media["state"], ("unwritable", "slow"))

    async def test_an_unavailable_database(self) -> None:
        def refuse(*_: Any) -> None:
            raise OperationalError("could not connect to postgres://user:password@host")

        await self.between_us_and_the_database(refuse)
        status, body = await self.ask()
        self.assertEqual((status, body["status"]), (503, "down"))
        self.assertEqual(body["parts"]["database"], {"ok": False, "state": "away"})
        self.assertEqual(body["parts"]["cleanup"]["state"], "unknown")
        self.assertEqual(body["parts"]["media"]["state"], "writable")

    async def test_a_database_that_hangs_is_not_waited_for(self) -> None:
        def hang(execute: Any, *arguments: Any) -> Any:
            time.sleep(0.5)
            return execute(*arguments)

        await self.between_us_and_the_database(hang)
        with mock.patch("stats.health.BUDGET_S", 0.1):
            status, body = await self.ask()
        self.assertEqual(status, 503)
        self.assertEqual(body["parts"]["database"]["state"], "slow")

    async def between_us_and_the_database(self, step: Callable[..., Any]) -> None:
        await in_db(lambda: self.enterContext(connection.execute_wrapper(step)))
