"""The figures of a real gunicorn: its workers add up, one that dies takes nothing with it, and a
real Prometheus, set up as ours is, finds what alerts and dashboard ask for."""

import json
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.server.worker_metrics import SHARED_MEMORY
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases
from photochanger.testing.monitors import DEPLOY, RULES, names_in, panel_queries, rules, tool

pytestmark = both_databases

TOKEN = "a-token-of-a-scraper"
RETIRED = "gemini-2.5-flash-image"
FIRING = 'ALERTS{alertname="ProviderKeyRefused", alertstate="firing"}'
UP, SEEN = 'up{job="photochanger"} == 1', "sum(increase(photochanger_photo_replays_total[1m])) > 0"
# A place is never missing here; and statements are counted on PostgreSQL only.
MAY_BE_EMPTY = {"Ответы фотобудкам по коду B", "Места: занято и отведено A"}
ONLY_WITH_RESERVES = {"photochanger_source_circuit_open"}
ON_POSTGRES_ONLY = {"База: p95 запроса A", "База: запросов в секунду A"}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(server: server_process.Server) -> Samples:
    answer = httpx.get(f"{server.url}/metrics", timeout=90)
    assert answer.status_code == 200, answer.text[:500]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    name = f"photochanger_{name}"
    return sum(value for (n, has), value in samples.items() if n == name and wanted <= has)


class LiveMetricsTests(LiveTestCase):
    server: ClassVar[server_process.Server]
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure_all(
            {
                "slot-001": {"settings": {"prompt": "As an oil painting"}},
                "slot-002": {"settings": {"prompt": "As an oil painting [sim:400-key]"}},
                "slot-003": {"settings": {"prompt": "[sim:img-safety]"}, "on_failure": "original"},
                "slot-004": {"settings": {"prompt": "x", "model": RETIRED}},
            }
        )
        cls.site.manage("cleanup_media")
        cls.addClassCleanup(cls.check_folder_is_gone)
        serving = cls.site.server(gunicorn=2, env={"METRICS_TOKEN": TOKEN})
        cls.server = cls.enterClassContext(serving)
        name = f"photochanger-metrics-*-{cls.server.process.pid}-*"
        (cls.folder,) = (f for place in (SHARED_MEMORY, cls.site.tmp) for f in place.glob(name))

    @classmethod
    def check_folder_is_gone(cls) -> None:
        assert not cls.folder.exists()

    def send(self, slots: list[str]) -> list[int]:
        with ThreadPoolExecutor(6) as booths:
            return list(booths.map(lambda s: self.post(self.server, slot=s).status_code, slots))

    def test_counters_of_all_workers_add_up_also_when_one_was_killed(self) -> None:
        before = scraped(self.server)
        answers = self.send(["slot-001"] * 6 + ["slot-002"] * 4 + ["slot-003"] * 2)
        self.assertEqual(sorted(answers), [200] * 8 + [503] * 4)
        self.assertEqual(self.post(self.server, password="wrong").status_code, 401)
        self.assertEqual(self.post(self.server, slot="slot-0000" * 3).status_code, 404)
        self.check_added(before, scraped(self.server))

        self.server.workers()[0].send_signal(signal.SIGKILL)
        self.eventually(lambda: len(self.server.workers()) == 2)
        self.send(["slot-001"] * 4)
        after = scraped(self.server)
        done = {"slot": "slot-001", "status": "done"}
        added = total(after, "photos_total", **done) - total(before, "photos_total", **done)
        self.assertEqual(added, 10)
        self.assertEqual(total(after, "photos_in_progress"), 0)
        # Its successor counts on in its files.
        owners = {file.stem.split("_")[-1] for file in self.folder.iterdir()}
        self.assertEqual(owners, {"1", "2", "master"})

    def check_added(self, before: Samples, after: Samples) -> None:
        def added(name: str, **labels: str) -> float:
            return total(after, name, **labels) - total(before, name, **labels)

        self.assertEqual(added("photos_total", slot="slot-001", status="done"), 6)
        self.assertEqual(added("photos_total", slot="slot-002", reason="provider_auth"), 4)
        self.assertEqual(added("photos_total", slot="slot-003", reason="content_blocked"), 2)
        self.assertEqual(added("photos_total"), 12)
        self.assertEqual(added("ingest_duration_seconds_count"), 12)
        self.assertEqual(added("ingest_overhead_seconds_count"), 6)
        self.assertEqual(added("photo_hashes_total", recipe="absent"), 12)
        self.assertEqual(added("provider_calls_total", reason="provider_auth"), 4)
        self.assertEqual(added("provider_call_seconds_count"), 12)
        for status, count in {"200": 8, "503": 4, "401": 1, "404": 1}.items():
            self.assertEqual(added("ingest_answers_total", status=status), count, status)
        self.assertEqual(added("photo_fallbacks_total", slot="slot-003"), 2)
        self.assertEqual(added("http_refused_total", reason="slot_not_found"), 1)
        slots = {value for _, labels in after for name, value in labels if name == "slot"}
        known = {f"slot-{number:03}" for number in range(1, 16)}
        self.assertEqual(slots, known | {"none"})  # for links of no slot; never a link's own text

    def test_zz_the_server_goes_on_without_the_metrics_folder(self) -> None:
        """Run last of the class: nothing is counted together afterwards."""
        shutil.rmtree(self.folder)
        self.assertEqual(self.send(["slot-001"]), [200])
        self.assertEqual(total(scraped(self.server), "database_up"), 1)
        self.server.workers()[0].send_signal(signal.SIGKILL)
        self.eventually(lambda: len(self.server.workers()) == 2)
        self.eventually(self.folder.exists)
        self.assertEqual(self.send(["slot-001"] * 4), [200] * 4)

    def test_every_log_line_is_json_and_a_photos_lines_name_their_job(self) -> None:
        answer = self.post(self.server)
        name, job = answer.headers["X-Request-Id"], answer.headers["X-Job-Id"]
        lines = [json.loads(line) for line in self.server.log_text().splitlines()]
        self.assertIn("gunicorn.error", {line["logger"] for line in lines})
        ours = {line["event"]: line for line in lines if line.get("request_id") == name}
        for event in ("ingest.job.opened", "provider.call.finished", "ingest.job.closed"):
            told = ours[event]
            self.assertEqual((told["job"], told["slot"]), (job[:8], "slot-001"), event)

    def test_prometheus_finds_every_series_of_alerts_and_dashboard(self) -> None:
        with self.prometheus() as prometheus:
            self.eventually(lambda: self.answer(prometheus, UP) != [])
            httpx.get(f"{self.server.url}/admin/login/")
            photo = jpeg()
            self.send(["slot-001"] * 4 + ["slot-002", "slot-003"])
            for _ in range(2):  # the second is a replay
                self.post(self.server, photo)
            httpx.get(f"{self.server.url}/admin/login/")
            self.eventually(lambda: self.answer(prometheus, SEEN) != [])
            self.check_names(prometheus)
            is_postgres = not self.site.database_url.startswith("sqlite")
            panels = (
                set(panel_queries()) - MAY_BE_EMPTY - (set() if is_postgres else ON_POSTGRES_ONLY)
            )
            # A scrape that a busy machine was too slow for leaves all empty until the next one.
            self.eventually(lambda: self.drop_answered(prometheus, panels) == set())
            self.eventually(lambda: self.answer(prometheus, FIRING) != [])

    def drop_answered(self, prometheus: httpx.Client, panels: set[str]) -> set[str]:
        """The panels that have shown nothing yet; each has to show something once."""
        queries = panel_queries()
        panels -= {name for name in panels if self.answer(prometheus, queries[name])}
        return panels

    def check_names(self, prometheus: httpx.Client) -> None:
        answer = prometheus.get("/api/v1/label/__name__/values").json()
        known = set(answer["data"])
        asked = set[str]()
        for query in (*panel_queries().values(), *(rule["expr"] for rule in rules())):
            asked |= names_in(query)
        if self.site.database_url.startswith("sqlite"):
            asked = {name for name in asked if not name.startswith("django_db_")}
        self.assertGreater(len(asked), 25)
        self.assertEqual(asked - known - ONLY_WITH_RESERVES, set())

    @contextmanager
    def prometheus(self) -> Iterator[httpx.Client]:
        """With our own configuration, only quicker; it asks the server with the token."""
        root = self.site.root / "prometheus"
        root.mkdir()
        (root / "token").write_text(f"{TOKEN}\n")
        (root / "rules.yml").write_text(RULES.read_text())
        config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        config["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), "1s")
        job = config["scrape_configs"][0]
        job["authorization"]["credentials_file"] = str(root / "token")
        job["static_configs"][0]["targets"] = [f"127.0.0.1:{self.server.port}"]
        config |= {"scrape_configs": [job], "alerting": {}}
        (root / "prometheus.yml").write_text(yaml.safe_dump(config))
        port = server_process.free_port()
        command = [
            *(tool("prometheus"), f"--config.file={root / 'prometheus.yml'}"),
            *(f"--storage.tsdb.path={root / 'data'}", "--log.level=warn"),
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        log = self.site.logs / "prometheus.log"
        serving = server_process.serving(
            command, port=port, env=self.site.env, log=log, ready="/-/ready"
        )
        with serving as up, httpx.Client(base_url=up.url, timeout=90) as client:
            yield client

    def answer(self, prometheus: httpx.Client, query: str) -> list[Any]:
        answer = prometheus.get("/api/v1/query", params={"query": query}).json()
        self.assertEqual(answer["status"], "success", (query, answer))
        return [row for row in answer["data"]["result"] if row["value"][1] != "NaN"]
