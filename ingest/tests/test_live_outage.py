"""What booths get while the database is unavailable, and that photos go on when it is back."""

import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ingest.tests.life_support import T_SYNC_S, LifeTestCase, small_disk
from ingest.tests.support import jpeg
from photochanger.testing import live, server_process
from photochanger.testing.databases import OwnPostgres, own_postgres
from photochanger.testing.marks import only_postgresql

HEALTH_S = 10.0  # monitors wait a second; a busy machine takes longer
CLEAR_REFUSAL_S = 40.0  # idle it is four at most; long before a photo's time is up


def health_of_database(server: server_process.Server) -> tuple[int, str]:
    """What /healthz says, in time."""
    begun = time.monotonic()
    answer = httpx.get(f"{server.url}/healthz", timeout=90)
    assert time.monotonic() - begun < HEALTH_S
    return answer.status_code, answer.json()["parts"]["database"]["state"]


@only_postgresql("a server of its own that stops and starts")
class RestartTests(LifeTestCase):
    """On a PostgreSQL of its own, which stops and starts under the running server."""

    postgres: OwnPostgres
    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.postgres = cls.enterClassContext(own_postgres())
        provider = cls.site.env["GEMINI_BASE_URL"]
        cls.site = cls.enterClassContext(live.site_on(cls.postgres.url))
        cls.site.env["GEMINI_BASE_URL"] = provider
        cls.make_ready(cls.site)
        cls.server = cls.enterClassContext(cls.site.server())

    def test_photos_in_flight_survive_a_restart_in_good_order(self) -> None:
        self.assert_survives("fast")

    def test_photos_in_flight_survive_a_crash_of_the_database(self) -> None:
        self.assert_survives("immediate")

    def assert_survives(self, mode: str) -> None:
        with self.in_flight(self.server, 10) as sent:
            self.postgres.restart(mode)
        self.assert_all_well([photo.result() for photo in sent])
        # Every lane has found a new connection by itself.
        self.assert_all_well([p.result() for p in self.send(self.server, self.photos(8))])
        self.assertEqual(self.open_jobs(), [])

    def photos(self, count: int) -> list[bytes]:
        return [jpeg() for _ in range(count)]

    def test_a_stopped_database_is_reported_at_once_and_needs_no_restart_of_ours(self) -> None:
        try:
            with self.in_flight(self.server, 4) as sent:
                job_id = self.open_jobs()[0]
                self.postgres.stop()
                begun = time.monotonic()
                for refused in self.send(self.server, self.photos(8)):
                    self.assert_storage_error(refused.result())
                self.assertLess(time.monotonic() - begun, CLEAR_REFUSAL_S)
                answer = httpx.get(f"{self.server.url}/api/jobs/{job_id}", timeout=90)
                self.assert_storage_error(answer)
                self.eventually(lambda: health_of_database(self.server) == (503, "away"))
                metrics = httpx.get(f"{self.server.url}/metrics", timeout=90).text
                self.assertIn("\nphotochanger_database_up 0.0\n", metrics)
            # Their rows cannot be written; the booths get what was paid for all the same.
            self.assert_all_well([photo.result() for photo in sent])
            self.assertLess(time.monotonic() - begun, T_SYNC_S + 2)
        finally:
            self.postgres.start()
        self.eventually(lambda: health_of_database(self.server) == (200, "up"))
        self.eventually(lambda: self.open_jobs() == [])  # written late, as what they were
        done = "select count(*) from job_history where status = 'done' and job_id = '{}'"
        for photo in sent:
            job_id = photo.result().headers["X-Job-Id"]
            self.assertEqual(self.site.rows(done.format(job_id)), [(1,)])
        self.assert_all_well([p.result() for p in self.send(self.server, self.photos(6))])


class NoDatabaseTests(LifeTestCase):
    """Servers that have started on a database that is not there, or never answers.

    Each test names its own database, whichever the run is on.
    """

    @contextmanager
    def server_on(self, database_url: str) -> Iterator[server_process.Server]:
        with self.site.server(env={"DATABASE_URL": database_url}) as server:
            yield server
            self.assertNotIn("internal_error", server.log_text())

    def test_a_missing_or_broken_sqlite_file_is_a_clear_refusal(self) -> None:
        folder = self.site.root
        (folder / "not-a-database.sqlite3").write_bytes(b"x" * 10_000)
        (folder / "a-folder.sqlite3").mkdir()
        for name in ("gone", "not-a-database", "a-folder", "no-folder/at-all"):
            with self.subTest(name), self.server_on(f"sqlite:///{folder}/{name}.sqlite3") as server:
                self.assertLess(self.measure_refusal_s(server), CLEAR_REFUSAL_S)

    def test_a_database_that_never_answers_is_a_clear_refusal(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as silent:
            port = silent.getsockname()[1]
            with self.server_on(f"postgresql://pc:pc@127.0.0.1:{port}/pc") as server:
                self.assertLess(self.measure_refusal_s(server), CLEAR_REFUSAL_S)
                self.assertEqual(health_of_database(server), (503, "slow"))
                answer = httpx.get(f"{server.url}/api/jobs/{uuid.uuid4()}", timeout=90)
                self.assert_storage_error(answer)

    def test_a_read_only_sqlite_file_is_a_clear_refusal_until_it_is_writable(self) -> None:
        folder = self.site.root / "disk"
        with small_disk(folder, "2m") as disk:
            lite = Path(urlsplit(self.site.database_url).path[1:])
            shutil.copy(lite, folder)
            disk.remount("ro")
            with self.server_on(f"sqlite:///{folder / lite.name}") as server:
                self.assertLess(self.measure_refusal_s(server), CLEAR_REFUSAL_S)
                disk.remount("rw")
                self.assert_all_well([self.post(server)])
