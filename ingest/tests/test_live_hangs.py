"""A database that accepts and does not answer, or whose rows somebody holds: time is kept."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from ingest.tests.life_support import PROMPT, LifeTestCase
from photochanger.testing import live, server_process
from photochanger.testing.databases import OwnPostgres, own_postgres
from photochanger.testing.marks import both_databases, only_postgresql
from photochanger.testing.waiting import wait_until

pytestmark = both_databases

WAIT_S, ABOUT_S = 20, 30  # of each slot; what a busy machine adds, where nothing would answer


@only_postgresql("processes of its own that can be stopped, and rows to lock")
class HangingDatabaseTests(LifeTestCase):
    postgres: OwnPostgres
    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.postgres = cls.enterClassContext(own_postgres())
        provider = cls.site.env["GEMINI_BASE_URL"]
        cls.site = cls.enterClassContext(live.site_on(cls.postgres.url))
        cls.site.env["GEMINI_BASE_URL"] = provider
        slot = {"settings": PROMPT, "sync_response_seconds": WAIT_S}
        cls.site.configure_all({"slot-001": slot, "slot-009": slot})
        cls.server = cls.enterClassContext(cls.site.server())

    @contextmanager
    def lock(self, sql: str) -> Iterator[None]:
        """Somebody else's transaction, held until the block ends."""
        with psycopg.connect(self.postgres.url) as other:
            other.execute(sql.encode())
            yield
            other.rollback()

    def post_timed(self, slot: str) -> tuple[httpx.Response, float]:
        begun = time.monotonic()
        answer = self.post(self.server, slot=slot)
        return answer, time.monotonic() - begun

    def assert_refused_in_time(self, answer: httpx.Response, took_s: float) -> None:
        """As our own failure, while the booth still waits."""
        self.assert_storage_error(answer)
        self.assertLess(took_s, WAIT_S + ABOUT_S)

    def assert_works_again(self) -> None:
        wait_until(lambda: self.post(self.server).status_code == 200)
        for _ in range(6):  # on every lane
            self.assert_all_well([self.post(self.server, slot="slot-009")])
        self.assertEqual(self.open_jobs(), [])

    def test_a_slots_locked_row_harms_no_other_slot(self) -> None:
        locked = "select 1 from slot where id = 'slot-001' for update"
        with self.lock(locked):
            stuck = [self.workers.submit(self.post_timed, "slot-001") for _ in range(8)]
            self.eventually(lambda: self.count_waiting() >= 1)
            for _ in range(3):
                answer, _took_s = self.post_timed("slot-009")
                self.assert_all_well([answer])
            self.assertFalse(all(one.done() for one in stuck), "the others were not waiting")
            for one in stuck:
                self.assert_refused_in_time(*one.result())
        self.assert_works_again()

    def count_waiting(self) -> int:
        sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return int(self.site.rows(sql)[0][0])

    def test_locked_tables_are_a_clear_refusal_until_they_are_free(self) -> None:
        for table in ("slot", "settings", "job_history"):
            with self.subTest(table=table):
                with self.lock(f"lock table {table} in access exclusive mode"):
                    sent = [self.workers.submit(self.post_timed, "slot-001") for _ in range(6)]
                    for one in sent:
                        self.assert_refused_in_time(*one.result())
                self.assert_works_again()

    def test_a_picture_is_not_kept_back_by_the_row_that_cannot_be_written(self) -> None:
        with self.provider.holding():
            sent = self.workers.submit(self.post_timed, "slot-001")
            self.eventually(lambda: self.provider.state()["in_flight"] == 1)
            lock = self.enterContext(psycopg.connect(self.postgres.url))
            lock.execute("lock table job_attempt in access exclusive mode")
        answer, _took_s = sent.result()
        self.assert_all_well([answer])
        lock.rollback()
        job_id = answer.headers["X-Job-Id"]
        sql = f"select 1 from job_history where status = 'done' and job_id = '{job_id}'"
        self.eventually(lambda: self.site.rows(sql) == [(1,)])

    def test_a_frozen_database_is_a_clear_refusal_in_time(self) -> None:
        with self.postgres.frozen():
            sent = [self.workers.submit(self.post_timed, "slot-001") for _ in range(8)]
            health = httpx.get(f"{self.server.url}/healthz", timeout=90)
            self.assertEqual(health.status_code, 503)
            for one in sent:
                self.assert_refused_in_time(*one.result())
        self.assert_works_again()

    def test_a_frozen_database_costs_no_picture_that_is_paid_for(self) -> None:
        with self.in_flight(self.server, 6) as sent:
            frozen = self.postgres.frozen()
            frozen.__enter__()
        try:
            begun = time.monotonic()
            self.assert_all_well([photo.result() for photo in sent])
            self.assertLess(time.monotonic() - begun, WAIT_S + ABOUT_S)
        finally:
            frozen.__exit__(None, None, None)
        self.assert_done(sent)

    def assert_done(self, sent: list[Future[httpx.Response]]) -> None:
        """Their rows say what the booths got, in the end."""
        self.eventually(lambda: self.open_jobs() == [])
        for photo in sent:
            job_id = photo.result().headers["X-Job-Id"]
            sql = f"select status from job_history where job_id = '{job_id}'"
            self.assertEqual(self.site.rows(sql), [("done",)])
        self.eventually(lambda: self.closings() == 0)

    def closings(self) -> int:
        """Stored whole: what a killed server has half written is read by nobody."""
        return sum(Path(path).match("closings/*.json") for path in self.results())

    def test_rows_tell_the_truth_after_a_long_outage_and_a_killed_server(self) -> None:
        with self.site.server() as server:
            with self.in_flight(server, 4) as sent:
                frozen = self.postgres.frozen()
                frozen.__enter__()
            try:
                self.assert_all_well([photo.result() for photo in sent])
                self.eventually(lambda: self.closings() == 4)
                server.process.kill()
            finally:
                frozen.__exit__(None, None, None)
        self.assertEqual(len(self.open_jobs()), 4)
        with self.site.server():
            self.assert_done(sent)
