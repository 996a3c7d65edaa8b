"""Photos in flight when their server is asked to stop, or is killed."""

import uuid
from concurrent.futures import Future
from contextlib import suppress

import httpx
import psutil

from ingest.tests.life_support import SLOT_LIMIT, LifeTestCase
from ingest.tests.support import jpeg
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases

pytestmark = both_databases

LONG_AGO = "2026-01-01 00:00:00+00:00"


def takes_photos(server: server_process.Server) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.url}/livez", timeout=30).is_success
    return False


class LifeTests(LifeTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site.execute("delete from job_history where status = 'processing'")

    def test_one_process_finishes_its_photos_and_takes_no_more(self) -> None:
        self.assert_stops_in_good_order(gunicorn=0)

    def test_gunicorns_workers_finish_their_photos_and_take_no_more(self) -> None:
        self.assert_stops_in_good_order(gunicorn=2)

    def assert_stops_in_good_order(self, *, gunicorn: int) -> None:
        files = len(self.results())
        with self.site.server(gunicorn=gunicorn) as server:
            with self.in_flight(server, 10) as sent:
                server.process.terminate()
                self.eventually(lambda: not takes_photos(server))
                self.assertEqual(self.provider.state()["in_flight"], 10)  # it is not over yet
                with self.assertRaises(httpx.ConnectError):
                    self.post(server)
            self.assert_all_well([photo.result() for photo in sent])
            server.process.wait(90)  # by itself
        self.assertEqual(self.open_jobs(), [])
        self.assertEqual(len(self.results()), files + 10 * 2)  # each with its preview
        self.assertNotIn("Traceback", server.log_text())

    def pass_deadlines(self) -> None:
        sql = f"update job_history set deadline = '{LONG_AGO}' where status = 'processing'"
        self.site.execute(sql)

    def count_broken_off(self, sent: list[Future[httpx.Response]]) -> int:
        """The number of photos without an answer; all others have their picture."""
        failures = [photo.exception() for photo in sent]
        answers = [p.result() for p, f in zip(sent, failures, strict=True) if f is None]
        self.assert_all_well(answers)
        for failure in filter(None, failures):
            self.assertIsInstance(failure, httpx.TransportError)
        return len(sent) - len(answers)

    def assert_dead_jobs_look_interrupted(
        self, server: server_process.Server, jobs: list[str]
    ) -> None:
        for job_id in jobs:
            job = self.get_job(server, job_id)
            self.assertEqual((job["status"], job["failure_reason"]), ("failed", "interrupted"))
            self.assertIsNone(job["result_url"])
            picture = httpx.get(f"{server.url}/public/results/{job_id}")
            self.assertEqual(picture.status_code, 404)

    def test_a_killed_process_leaves_nothing_that_stands_in_the_way(self) -> None:
        photos = [jpeg() for _ in range(SLOT_LIMIT)]
        with self.site.server() as server:
            with self.in_flight(server, photos) as sent:
                server.process.kill()
                self.assertEqual(self.count_broken_off(sent), SLOT_LIMIT)
            server.process.wait(90)
        dead = self.open_jobs()
        with self.site.server() as server:
            self.assertEqual(self.get_job(server, dead[0])["status"], "processing")
            # Nobody can tell a dead process from one on another machine: its photos still count,
            self.assertEqual(self.post(server).json()["failure_reason"], "rate_limited")
            # and who sends one of them again waits for it, until its deadline.
            again = self.send(server, photos[:1])
            self.pass_deadlines()
            self.assert_dead_jobs_look_interrupted(server, dead)
            again += self.send(server, photos[1:])
            answers = [photo.result() for photo in again]
            self.assert_all_well(answers)
            self.assertFalse([a for a in answers if "X-PhotoChanger-Replay" in a.headers])
            self.assertFalse({a.headers["X-Job-Id"] for a in answers} & set(dead))

    def test_gunicorn_replaces_a_killed_worker_and_the_other_one_goes_on(self) -> None:
        with self.site.server(gunicorn=2) as server:
            with self.in_flight(server, 4) as sent:
                victim = self.busiest_worker(server)
                victim.kill()
                victim.wait(90)
            broken = self.count_broken_off(sent)
            self.assertGreater(broken, 0)
            dead = self.open_jobs()
            self.assertEqual(len(dead), broken)
            self.pass_deadlines()
            self.eventually(lambda: len(server.process.children()) == 2)
            self.assertNotIn(victim.pid, [worker.pid for worker in server.process.children()])
            self.assert_dead_jobs_look_interrupted(server, dead)
            with self.in_flight(server, 4) as sent:
                pass
            self.assert_all_well([photo.result() for photo in sent])

    def busiest_worker(self, server: server_process.Server) -> psutil.Process:
        def calls(worker: psutil.Process) -> int:
            peers = [c.raddr.port for c in worker.net_connections("tcp") if c.raddr]
            return peers.count(self.provider.port)

        return max(server.process.children(), key=calls)

    def test_a_file_that_a_crash_left_without_its_row_is_shown_to_nobody(self) -> None:
        photo = jpeg()
        with self.site.server() as server:
            with self.in_flight(server, [photo]) as sent:
                server.process.kill()
                self.assertEqual(self.count_broken_off(sent), 1)
            server.process.wait(90)
        job_id, stranger = self.open_jobs()[0], str(uuid.uuid4())
        for name in (job_id, stranger):  # as far as it came: the file, and no row for it
            folder = self.site.media_root / "results/slot-001" / name
            folder.mkdir(parents=True)
            (folder / "payload.jpg").write_bytes(photo)
        self.pass_deadlines()
        with self.site.server() as server:
            self.assert_dead_jobs_look_interrupted(server, [job_id])
            for path in ("public/results", "api/jobs"):
                answer = httpx.get(f"{server.url}/{path}/{stranger}")
                self.assertEqual(answer.status_code, 404, path)
            calls = self.provider.state()["calls"]
            answer = self.post(server, photo)  # the crashed photo again is a new one
            self.assertNotEqual(answer.headers["X-Job-Id"], job_id)
            self.assertEqual(self.provider.state()["calls"], calls + 1)
            self.assertNotEqual(answer.content, photo)
