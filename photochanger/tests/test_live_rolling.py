"""Two machines restart one after the other behind a front server, and nobody loses a photo."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import httpx

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import fronts, server_process
from photochanger.testing.fronts import Front
from photochanger.testing.marks import only_postgresql

BOOTHS = 3
LEAVE_S = "4"  # Caddy looks once a second; a busy machine may be late


class Machine:
    """One app server that can be stopped and started again at its place."""

    def __init__(self, case: "RollingRestartTests") -> None:
        self.case, self.port = case, server_process.free_port()
        self.running = ExitStack()
        self.start()

    def start(self) -> None:
        env = {"TRUSTED_PROXIES": "127.0.0.1", "LEAVE_SECONDS": LEAVE_S}
        server = self.case.site.server(port=self.port, gunicorn=1, env=env)
        self.server = self.running.enter_context(server)
        self.log_before = len(self.server.log_text())

    def stop(self) -> None:
        """By SIGTERM, and until it has ended; what it holds it finishes."""
        self.running.close()

    def has_worked(self) -> bool:
        return "ingest.job.closed" in self.server.log_text()[self.log_before :]


@only_postgresql("several machines need PostgreSQL")
class RollingRestartTests(LiveTestCase):
    simulated: ClassVar[dict[str, Any]] = {"plain": True, "latency_s": 0.2}

    @classmethod
    def setUpClass(cls) -> None:
        fronts.program_or_skip("nginx"), fronts.program_or_skip("caddy")
        super().setUpClass()
        cls.site.configure()

    def setUp(self) -> None:
        super().setUp()
        self.machines = [Machine(self) for _ in range(2)]
        for machine in self.machines:
            self.addCleanup(machine.stop)

    def post_through(self, front: Front) -> httpx.Response:
        return httpx.post(
            f"{front.url}/ingest/slot-001",
            data={"password": self.site.password},
            files={"fileToUpload": ("IMG_0001.JPG", jpeg(), "image/jpeg")},
            verify=front.tls,
            timeout=180,
        )

    @contextmanager
    def booths(self, front: Front) -> Iterator[list[httpx.Response]]:
        """Photo after photo from several booths until the block ends; what they were answered."""
        answers: list[httpx.Response] = []
        ended = threading.Event()

        def send() -> None:
            while not ended.is_set():
                answers.append(self.post_through(front))

        with ThreadPoolExecutor(BOOTHS) as pool:
            working = [pool.submit(send) for _ in range(BOOTHS)]
            try:
                yield answers
            finally:
                ended.set()
            for each in working:
                each.result()

    def restart_one_after_the_other(self) -> None:
        for machine in self.machines:
            machine.stop()
            machine.start()
            self.eventually(machine.has_worked)  # the front server has found it again

    def try_restarts(self, front: Front) -> None:
        self.eventually(lambda: self.post_through(front).status_code == 200)
        with self.booths(front) as answers:
            self.restart_one_after_the_other()
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertGreater(len(answers), BOOTHS)

    def test_behind_nginx(self) -> None:
        with fronts.nginx(self.site, [machine.port for machine in self.machines]) as front:
            self.try_restarts(front)
            self.assert_says_what_happened(front)

    def test_behind_caddy(self) -> None:
        with fronts.caddy(self.site, [machine.port for machine in self.machines]) as front:
            self.try_restarts(front)
            self.assert_says_what_happened(front)

    def assert_says_what_happened(self, front: Front) -> None:
        """No machine is there: JSON all the same, for a booth's log."""
        for machine in self.machines:
            machine.stop()
        answer = self.post_through(front)
        self.assertEqual((answer.status_code, answer.headers["retry-after"]), (502, "5"))
        self.assertTrue(answer.headers["content-type"].startswith("application/json"))
        self.assertEqual(answer.json()["failure_reason"], "interrupted")
