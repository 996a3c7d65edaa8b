"""What becomes of photos in flight when their server is told to stop, or dies."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

import httpx
import psutil

from ingest.tests.live_support import LiveTestCase
from photochanger.tests import live

SLOTS, CRASHED = [f"slot-{number:03}" for number in range(1, 7)], "slot-007"


class StopTests(LiveTestCase):
    """Every slot takes one photo at a time, and two seconds for it."""

    simulated: ClassVar[dict[str, Any]] = {"plain": True, "latency_s": 2.0}
    booths: ThreadPoolExecutor

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        recipe = {"settings": {"prompt": "As an oil painting"}}
        cls.site.configure_all(
            dict.fromkeys([*SLOTS, CRASHED], recipe), limits={"max_jobs_per_slot": 1}
        )
        cls.booths = cls.enterClassContext(ThreadPoolExecutor(len(SLOTS)))

    def post_in_flight(
        self, server: live.Server, slots: Sequence[str]
    ) -> list[Future[httpx.Response]]:
        """Photos that their provider is working on when this returns."""
        sent = [self.booths.submit(self.post, server, slot=slot) for slot in slots]
        self.eventually(lambda: self.provider.state()["in_flight"] == len(slots), within_s=5)
        return sent

    def test_photos_in_flight_finish_when_the_server_is_told_to_stop(self) -> None:
        with self.site.server(gunicorn=2) as server:  # as in production
            sent = self.post_in_flight(server, SLOTS)
            server.process.terminate()
            self.eventually(lambda: not takes_photos(server))
            answers = [photo.result() for photo in sent]
        self.assertEqual({answer.status_code for answer in answers}, {200})
        for answer in answers:
            self.assertEqual(len(answer.content), int(answer.headers["content-length"]))
            job = answer.headers["X-Job-Id"]
            stored = [name for name in self.results() if job in name]
            self.assertEqual(len(stored), 2)  # the picture and its preview
        statuses = f"select status from job_history where slot_id <> '{CRASHED}'"
        self.assertEqual(set(self.site.rows(statuses)), {("done",)})
        self.assertNotIn("Traceback", server.log_text())

    def test_a_photo_of_a_server_that_died_frees_its_place_at_its_deadline(self) -> None:
        with self.site.server() as server:
            (sent,) = self.post_in_flight(server, [CRASHED])
            server.process.kill()
            with self.assertRaises(httpx.HTTPError):
                sent.result()
            server.process.wait(5)
        self.assertEqual(self.last_job(), ("processing", ""))
        with self.site.server() as server:
            # Until then it may be another server's, at work.
            self.assertEqual(self.post(server, slot=CRASHED).status_code, 429)
            self.site.execute("update job_history set deadline = '2026-01-01 00:00:00+00:00'")
            self.assertEqual(self.post(server, slot=CRASHED).status_code, 200)


def takes_photos(server: live.Server) -> bool:
    with suppress(httpx.HTTPError, psutil.Error):
        return httpx.get(f"{server.url}/livez", timeout=1).is_success
    return False
