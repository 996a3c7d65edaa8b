"""Two processes, a crowd, and kills: no limit of a budget is crossed, by anybody's count."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, ClassVar

import httpx
import psycopg

from ingest.tests.support import jpeg
from ingest.tests.test_live_limits import QUICK_SLOTS, TwoServersTestCase
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases, only_postgresql

pytestmark = both_databases

PHOTOS = int(os.environ.get("BUDGET_PHOTOS", "160"))
AT_ONCE = 100
PICTURES = PHOTOS // 4
CALL_MICROS = 34_419  # what the simulator's plain answer charges by the shipped prices
MONEY = PHOTOS * 15_000
KILL_EVERY = PHOTOS // 8


class BudgetCrowdTests(TwoServersTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True, "latency_s": 0.2}
    limits: ClassVar[dict[str, Any]] = {"max_jobs_per_slot": 100, "max_jobs_per_provider": 200}

    two: list[server_process.Server]

    def setUp(self) -> None:
        super().setUp()
        self.lock = threading.Lock()
        for table in ("budget", "job_attempt", "media_object", "job_history", "spending"):
            self.site.execute(f"delete from {table}")

    def add_budget(self, **limit: int) -> None:
        ((name, value),) = limit.items()
        self.site.execute(
            f"insert into budget (is_daily, counts_from, {name}, soft_percent, at_limit, is_active,"
            f" updated_at, updated_by) values (true, '2026-01-01', {value}, 80, 'refuse', true,"
            " '2026-01-01 00:00:00+00:00', '')"
        )

    def send_crowd(self, *, kills: int) -> None:
        """A server is killed whenever so many photos more were answered, and starts again."""
        self.photos = iter([jpeg(64, 48) for _ in range(PHOTOS)])
        self.answers: list[httpx.Response] = []
        self.broken = 0
        with ExitStack() as stack:
            self.two = [stack.enter_context(self.site.server()) for _ in range(2)]
            clients = [threading.Thread(target=self.send_some) for _ in range(AT_ONCE)]
            for client in clients:
                client.start()
            for turn in range(kills):
                self.wait_for_answers((turn + 1) * KILL_EVERY, clients)
                self.two[turn % 2].process.kill()
                self.two[turn % 2] = stack.enter_context(self.site.server())
            for client in clients:
                client.join()

    def wait_for_answers(self, goal: int, clients: list[threading.Thread]) -> None:
        self.eventually(
            lambda: (
                len(self.answers) + self.broken >= goal or not any(c.is_alive() for c in clients)
            )
        )

    def send_some(self) -> None:
        """Of the photos, until there is none left; to both servers and nine slots in turn."""
        while True:
            with self.lock:
                photo = next(self.photos, None)
                number = len(self.answers) + self.broken
            if photo is None:
                return
            try:
                answer = self.post(self.two[number % 2], photo, slot=QUICK_SLOTS[number % 9])
            except httpx.TransportError:
                self.broken += 1  # a few may be lost among threads: it only tells when to kill
                time.sleep(0.05)
            else:
                self.answers.append(answer)

    def count_spent(self) -> tuple[int, int]:
        money = "sum(known_micros + probable_micros)"
        micros, pictures = self.site.rows(f"select {money}, sum(pictures) from spending")[0]
        held = "select coalesce(sum(reserved_micros), 0) from job_history where status='processing'"
        return int(micros or 0) + int(self.site.rows(held)[0][0]), int(pictures or 0)

    def test_money_is_never_crossed_also_by_what_killed_servers_have_sent(self) -> None:
        self.add_budget(hard_micros=MONEY)
        self.send_crowd(kills=4)
        counted, _pictures = self.count_spent()
        asked = self.provider.state()["calls"]
        self.assertLessEqual(counted, MONEY)
        self.assertLessEqual(asked * CALL_MICROS, MONEY)
        self.assertGreater(asked, 3)
        refused = [one for one in self.answers if one.status_code == 503]
        self.assertTrue(refused)
        self.assertEqual({one.json()["failure_reason"] for one in refused}, {"budget_spent"})

    def test_pictures_are_never_more_than_the_limit_and_a_dead_server_takes_none(self) -> None:
        self.add_budget(hard_pictures=PICTURES)
        self.send_crowd(kills=4)
        made = [one for one in self.answers if one.status_code == 200]
        _micros, pictures = self.count_spent()
        self.assertLessEqual(len(made), PICTURES)
        self.assertLessEqual(pictures, PICTURES)
        # What killed servers held is free when its time is over: the rest can be made.
        self.site.execute(
            "update job_history set deadline = '2026-01-01 00:00:00+00:00'"
            " where status = 'processing'"
        )
        with self.site.server() as server:
            left = PICTURES - self.count_spent()[1]
            statuses = [self.post(server).status_code for _ in range(left + 1)]
        self.assertEqual(statuses, [200] * left + [503])

    @only_postgresql("rows that somebody holds")
    def test_a_photo_that_waits_for_its_slot_does_not_hold_the_budgets(self) -> None:
        self.add_budget(hard_micros=10**12)
        here = "datname = current_database()"
        waiting_and_held = (
            "select (select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            f" and query like '%pg_advisory_xact_lock%' and {here}), (select count(*) from pg_locks"
            f" join pg_database on oid = database where locktype = 'advisory' and {here})"
        )
        with (
            self.site.server() as server,
            psycopg.connect(self.site.database_url) as other,
            ThreadPoolExecutor(1) as worker,
        ):
            self.assertEqual(self.post(server, jpeg(32, 32)).status_code, 200)  # makes the rows
            other.execute("select 1 from slot where id = 'slot-001' for no key update")
            sent = worker.submit(self.post, server, jpeg(64, 48))
            self.eventually(lambda: self.site.rows(waiting_and_held) == [(1, 0)])
            other.rollback()
            sent.result()
