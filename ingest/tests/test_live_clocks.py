"""Machines whose clocks are five minutes apart, and one whose clock jumps: rows are right."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

import httpx

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import clocks, server_process
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import both_databases, only_postgresql

pytestmark = both_databases

APART_S, SLOT_LIMIT = 300, 4
Sent = Sequence[Future[httpx.Response]]


@only_postgresql("several machines need PostgreSQL")
class ClockTests(LiveTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True}
    right: server_process.Server
    ahead: server_process.Server
    behind: server_process.Server
    booths: ThreadPoolExecutor

    @classmethod
    def setUpClass(cls) -> None:
        clocks.find_library()
        super().setUpClass()
        cls.site.configure_all(
            {"slot-001": {"settings": {"prompt": "As an oil painting"}}},
            limits={"max_jobs_per_slot": SLOT_LIMIT, "sync_response_seconds": 60},
        )
        cls.right = cls.enterClassContext(cls.site.server())
        ahead, behind = clocks.make_moved_clock(APART_S), clocks.make_moved_clock(-APART_S)
        cls.ahead = cls.enterClassContext(cls.site.server(env=ahead))
        cls.behind = cls.enterClassContext(cls.site.server(env=behind))
        cls.booths = cls.enterClassContext(ThreadPoolExecutor(12))

    def health_of_clock(self, server: server_process.Server) -> dict[str, Any]:
        part: dict[str, Any] = httpx.get(f"{server.url}/healthz", timeout=90).json()["parts"][
            "clock"
        ]
        return part

    def expect_clock(self, server: server_process.Server, state: str) -> None:
        self.eventually(lambda: self.health_of_clock(server)["state"] == state)

    def test_the_difference_is_measured_and_shown(self) -> None:
        self.expect_clock(self.right, "right")
        for server, seconds in ((self.ahead, APART_S), (self.behind, -APART_S)):
            self.expect_clock(server, "wrong")
            part = self.health_of_clock(server)
            self.assertAlmostEqual(part["skew_s"], seconds, delta=5)
            text = httpx.get(f"{server.url}/metrics", timeout=90).text
            line = next(x for x in text.splitlines() if x.startswith("photochanger_clock_skew"))
            self.assertAlmostEqual(float(line.split()[1]), seconds, delta=5)

    def send(self, server: server_process.Server, photos: Sequence[bytes]) -> Sent:
        return [self.booths.submit(self.post, server, photo) for photo in photos]

    def photos(self) -> list[bytes]:
        return [jpeg() for _ in range(SLOT_LIMIT)]

    def statuses(self, sent: Sent) -> list[int]:
        return [one.result().status_code for one in sent]

    def test_the_limit_holds_whoever_comes_first(self) -> None:
        pairs = (
            (self.right, self.ahead),
            (self.ahead, self.right),
            (self.right, self.behind),
            (self.behind, self.right),
        )
        for first, second in pairs:
            with self.provider.holding():
                held = self.send(first, self.photos())
                self.eventually(lambda: self.provider.state()["in_flight"] == SLOT_LIMIT)
                refused = self.statuses(self.send(second, self.photos()))
            self.assertEqual(refused, [429] * SLOT_LIMIT)
            self.assertEqual(self.statuses(held), [200] * SLOT_LIMIT)

    def test_an_equal_photo_is_paid_once(self) -> None:
        for first, second in ((self.right, self.ahead), (self.ahead, self.right)):
            self.provider.reset()
            photo = jpeg()
            with self.provider.holding():
                sent = self.send(first, [photo])
                self.eventually(lambda: self.provider.state()["in_flight"] == 1)
                again = self.send(second, [photo])
                time.sleep(1)
            answers = [one.result() for one in (*sent, *again)]
            self.assertEqual([answer.status_code for answer in answers], [200, 200])
            self.assertEqual(len({answer.content for answer in answers}), 1)
            self.assertEqual(answers[1].headers["X-PhotoChanger-Replay"], "1")

    def clean_up(self, environment: dict[str, str]) -> None:
        subprocess.run(
            [sys.executable, "manage.py", "cleanup_media"],
            cwd=BASE_DIR,
            env=self.site.env | environment,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=300,
        )

    def test_cleanup_on_a_fast_machine_takes_no_photo_from_another(self) -> None:
        with self.provider.holding():
            sent = self.send(self.right, self.photos())
            self.eventually(lambda: self.provider.state()["in_flight"] == SLOT_LIMIT)
            self.clean_up(clocks.make_moved_clock(APART_S))
        self.assertEqual(self.statuses(sent), [200] * SLOT_LIMIT)
        self.assertEqual(self.last_job(), ("done", ""))

    def test_a_token_of_one_machine_is_good_on_all(self) -> None:
        said = self.site.manage("sync_admins", "--generate", "--usernames", "serg")
        account = {"username": "serg", "password": said.split("serg")[1].split()[0]}
        servers = (self.right, self.ahead, self.behind)
        for issuer in servers:
            answer = httpx.post(f"{issuer.url}/api/login", json=account, timeout=90)
            token = answer.json()["access_token"]
            for server in servers:
                asked = httpx.get(
                    f"{server.url}/api/slots",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=90,
                )
                self.assertEqual(asked.status_code, 200, asked.text)

    def test_a_clock_that_jumps_harms_no_photo(self) -> None:
        for seconds in (APART_S, -APART_S):
            file = self.site.root / f"clock{seconds}"
            with self.site.server(env=clocks.make_clock_of_file(file)) as server:
                photo = jpeg()
                with self.provider.holding():
                    sent = self.send(server, [photo])
                    self.eventually(lambda: self.provider.state()["in_flight"] == 1)
                    clocks.set_clock(file, seconds)
                    sent = [*sent, *self.send(server, [photo]), *self.send(self.right, [photo])]
                    time.sleep(1)
                self.assertEqual(self.statuses(sent), [200] * 3)
                link = sent[0].result().headers["X-Result-Url"]
                self.assertEqual(httpx.get(link, timeout=90).status_code, 200)
                self.expect_clock(server, "wrong")
            took_ms = self.site.rows(
                "select duration_ms from job_history order by started_at desc limit 1"
            )[0][0]
            self.assertLess(took_ms, APART_S * 1000 / 2)
