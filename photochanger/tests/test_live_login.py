"""The log-in on real servers: several processes, a proxy before them, and their log."""

import json
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx

from photochanger.testing import live, server_process
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import both_databases, live_server

pytestmark = both_databases

WRONG = "nearly-the-right-password"
GUESSER, SERG_AT_THE_EVENT = "203.0.113.7", "198.51.100.9"


@live_server
class LiveLoginTests(unittest.TestCase):
    site: live.LiveSite

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = cls.enterClassContext(live.site(chosen_database()))
        said = cls.site.manage("sync_admins", "--generate", "--usernames", "serg")
        cls.password = said.split("serg")[1].split()[0]

    def log_in(
        self, server: server_process.Server, password: str, *, by_way_of: str
    ) -> httpx.Response:
        return httpx.post(
            f"{server.url}/api/login",
            json={"username": "serg", "password": password},
            headers={"X-Forwarded-For": by_way_of},
            timeout=90,
        )

    def test_a_guesser_behind_our_proxy_locks_out_himself_in_every_process(self) -> None:
        env = {"TRUSTED_PROXIES": "127.0.0.1"}
        with self.site.server(gunicorn=2, env=env) as server:
            statuses = [
                self.log_in(server, WRONG, by_way_of=GUESSER).status_code for _ in range(14)
            ]
            self.assertEqual(statuses, [401] * 10 + [429] * 4)
            # He may claim to come from elsewhere; our proxy adds where he does come from.
            claimed = f"{SERG_AT_THE_EVENT}, {GUESSER}"
            self.assertEqual(self.log_in(server, WRONG, by_way_of=claimed).status_code, 429)
            answer = self.log_in(server, self.password, by_way_of=SERG_AT_THE_EVENT)
            self.assertEqual(answer.status_code, 200, answer.text)
        log = server.log_text()
        lines = [json.loads(line) for line in log.splitlines() if '"auth.login.' in line]
        self.assertEqual(
            [(line["event"], line.get("reason"), line["address"]) for line in lines],
            [("auth.login.failure", "invalid_credentials", GUESSER)] * 10
            + [("auth.login.failure", "throttled", GUESSER)] * 5
            + [("auth.login.success", None, SERG_AT_THE_EVENT)],
        )
        for secret in (WRONG, self.password, answer.json()["access_token"]):
            self.assertNotIn(secret, log)
        self.assertNotIn("AXES", log)
        rows = repr(self.site.rows("select * from axes_accessattempt"))
        self.assertIn(GUESSER, rows)
        self.assertNotIn(WRONG, rows)

    def test_a_crowd_of_addresses_is_refused_in_part_and_holds_up_nobody_else(self) -> None:
        env = {"TRUSTED_PROXIES": "127.0.0.1"}
        addresses = [f"198.18.0.{number}" for number in range(24)]
        with self.site.server(gunicorn=1, env=env) as server, ThreadPoolExecutor(24) as crowd:
            tries = [
                crowd.submit(self.log_in, server, WRONG, by_way_of=address) for address in addresses
            ]
            job = httpx.get(f"{server.url}/api/jobs/{uuid.uuid4()}", timeout=90)
            self.assertEqual(job.status_code, 404)
            self.assertFalse(all(one.done() for one in tries))
            answers = [one.result() for one in tries]
            self.assertEqual({answer.status_code for answer in answers}, {401, 429})
            for answer in answers:
                self.assertEqual("Retry-After" in answer.headers, answer.status_code == 429)
            answer = self.log_in(server, self.password, by_way_of=SERG_AT_THE_EVENT)
            self.assertEqual(answer.status_code, 200, answer.text)

    def test_nobody_but_our_proxies_is_believed(self) -> None:
        with self.site.server(gunicorn=1) as server:
            self.log_in(server, WRONG, by_way_of=SERG_AT_THE_EVENT)
        self.assertIn('"address": "127.0.0.1"', server.log_text())
        self.assertNotIn(SERG_AT_THE_EVENT, server.log_text())
