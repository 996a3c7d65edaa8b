"""The figures of a real gunicorn: its workers add up, and one that dies takes nothing with it."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from ingest.tests.live_support import LiveTestCase
from photochanger.metrics_workers import SHARED_MEMORY
from photochanger.tests import live

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(server: live.Server) -> Samples:
    answer = httpx.get(f"{server.url}/metrics", timeout=10)
    assert answer.status_code == 200, answer.text[:500]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (n, has), value in samples.items() if n == name and wanted <= has)


class WorkersTests(LiveTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure_all(
            {
                "slot-001": {"settings": {"prompt": "As an oil painting"}},
                "slot-002": {"settings": {"prompt": "As an oil painting [sim:400-key]"}},
                "slot-003": {"settings": {"prompt": "[sim:img-safety]"}, "on_failure": "original"},
            }
        )

    def send(self, server: live.Server, slots: list[str]) -> list[int]:
        with ThreadPoolExecutor(6) as booths:
            return list(booths.map(lambda s: self.post(server, slot=s).status_code, slots))

    def test_counters_of_all_workers_add_up_also_when_one_was_killed(self) -> None:
        with self.site.server(gunicorn=2) as server:
            folder = self.folder(server)
            answers = self.send(server, ["slot-001"] * 6 + ["slot-002"] * 4 + ["slot-003"] * 2)
            self.assertEqual(sorted(answers), [200] * 8 + [503] * 4)
            self.assertEqual(self.post(server, password="wrong").status_code, 401)
            self.assertEqual(self.post(server, slot="slot-0000" * 3).status_code, 404)
            before = scraped(server)
            self.check(before)
            self.check_log(server)
            self.assertEqual(
                {f.stem.split("_")[-1] for f in folder.iterdir()}, {"1", "2", "master"}
            )

            self.workers(server)[0].send_signal(signal.SIGKILL)
            self.eventually(lambda: len(self.workers(server)) == 2)
            self.send(server, ["slot-001"] * 4)
            after = scraped(server)
            done = {"slot": "slot-001", "status": "done"}
            self.assertEqual(total(after, "photochanger_photos_total", **done), 11)
            self.assertEqual(total(after, "photochanger_photos_in_progress"), 0)
            # Its successor counts on in its files.
            self.assertEqual(
                {f.stem.split("_")[-1] for f in folder.iterdir()}, {"1", "2", "master"}
            )
        self.assertFalse(folder.exists())

    def check(self, seen: Samples) -> None:
        photos = "photochanger_photos_total"
        self.assertEqual(total(seen, photos, slot="slot-001", status="done"), 6)
        self.assertEqual(total(seen, photos, slot="slot-002", reason="provider_auth"), 4)
        self.assertEqual(total(seen, photos, slot="slot-003", reason="content_blocked"), 2)
        self.assertEqual(total(seen, photos), 12)
        self.assertEqual(total(seen, "photochanger_ingest_duration_seconds_count"), 12)
        self.assertEqual(total(seen, "photochanger_ingest_overhead_seconds_count"), 6)
        self.assertEqual(total(seen, "photochanger_photo_hashes_total", recipe="absent"), 12)
        calls = "photochanger_provider_calls_total"
        self.assertEqual(total(seen, calls, reason="provider_auth"), 4)
        self.assertEqual(total(seen, "photochanger_provider_call_seconds_count"), 12)
        answers = "photochanger_ingest_answers_total"
        for status, count in {"200": 8, "503": 4, "401": 1, "404": 1}.items():
            self.assertEqual(total(seen, answers, status=status), count, status)
        self.assertEqual(total(seen, "photochanger_photo_fallbacks_total", slot="slot-003"), 2)
        self.assertEqual(total(seen, "photochanger_http_refused_total", reason="slot_not_found"), 1)
        self.assertEqual(total(seen, "photochanger_media_files", kind="result"), 6)
        slots = {value for _, labels in seen for name, value in labels if name == "slot"}
        self.assertEqual(slots, {f"slot-{number:03}" for number in range(1, 16)})

    def check_log(self, server: live.Server) -> None:
        """Every line is JSON, the server's own too; those of a photo tell whose they are."""
        lines = [json.loads(line) for line in server.log_text().splitlines()]
        self.assertIn("gunicorn.error", {line["logger"] for line in lines})
        answer = self.post(server)
        name, job = answer.headers["X-Request-Id"], answer.headers["X-Job-Id"]
        lines = [json.loads(line) for line in server.log_text().splitlines()]
        ours = {line["event"]: line for line in lines if line.get("request_id") == name}
        for event in ("ingest.job.opened", "provider.call.finished", "ingest.job.closed"):
            told = ours[event]
            self.assertEqual((told["job"], told["slot"]), (job, "slot-001"), event)

    def folder(self, server: live.Server) -> Path:
        name = f"photochanger-metrics-*-{server.process.pid}-*"
        (folder,) = (f for place in (SHARED_MEMORY, self.site.tmp) for f in place.glob(name))
        return folder

    def workers(self, server: live.Server) -> list[psutil.Process]:
        return [p for p in server.process.children() if p.status() != psutil.STATUS_ZOMBIE]
