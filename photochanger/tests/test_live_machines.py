"""Two machines: two servers, one PostgreSQL, one bucket, and nginx before both."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

import httpx

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from media.tests.test_s3 import KEY, SECRET
from media.tests.test_s3 import Server as Bucket
from photochanger.testing import fronts, server_process
from photochanger.testing.fronts import Front
from photochanger.testing.marks import only_postgresql

SLOT_LIMIT = 4
OTHER_SLOTS = tuple(f"slot-{number:03}" for number in range(2, 14))
LONG_AGO = "2026-01-01 00:00:00+00:00"


@only_postgresql("several machines need PostgreSQL")
class TwoMachinesTests(LiveTestCase):
    """Each slot takes four photos at once."""

    simulated: ClassVar[dict[str, Any]] = {"plain": True}
    bucket: Bucket
    machines: tuple[server_process.Server, server_process.Server]
    front: Front
    booths: ThreadPoolExecutor

    @classmethod
    def setUpClass(cls) -> None:
        fronts.program_or_skip("nginx")
        super().setUpClass()
        cls.bucket = cls.enterClassContext(Bucket())
        cls.site.env |= {
            "S3_BUCKET": "photos",
            "S3_PREFIX": "booths",
            "S3_ENDPOINT_URL": cls.bucket.url,
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        slot = {
            "settings": {"prompt": "As an oil painting"},
            "sync_response_seconds": 60,
        }
        cls.site.configure_all(
            dict.fromkeys(("slot-001", *OTHER_SLOTS), slot),
            limits={"max_jobs_per_slot": SLOT_LIMIT},
        )
        cls.machines = (
            cls.enterClassContext(cls.site.server()),
            cls.enterClassContext(cls.site.server()),
        )
        ports = [machine.port for machine in cls.machines]
        cls.front = cls.enterClassContext(fronts.nginx(cls.site, ports))
        cls.booths = cls.enterClassContext(ThreadPoolExecutor(24))

    def send(
        self, photo: bytes, *, slot: str = "slot-001", key: str = "", front: Front | None = None
    ) -> "Future[httpx.Response]":
        front = front or self.front
        return self.booths.submit(
            httpx.post,
            f"{front.url}/ingest/{slot}",
            data={"password": self.site.password},
            files={"fileToUpload": ("IMG_0001.JPG", photo, "image/jpeg")},
            headers={"Idempotency-Key": key} if key else {},
            verify=front.tls,
            timeout=180,
        )

    def send_to_each(self, front: Front) -> list["Future[httpx.Response]"]:
        return [self.send(jpeg(), slot=slot, front=front) for slot in OTHER_SLOTS]

    def answers(self, sent: Sequence["Future[httpx.Response]"]) -> list[httpx.Response]:
        return [each.result() for each in sent]

    def assert_both_were_asked(self) -> None:
        """Which of them gives out the places is chance."""
        for machine in self.machines:
            self.assertRegex(machine.log_text(), "ingest.job.closed|http.refused")

    def test_a_slots_limit_holds_right_across_machines(self) -> None:
        with self.provider.holding():
            sent = [self.send(jpeg()) for _ in range(20)]
            self.eventually(lambda: sum(each.done() for each in sent) == 20 - SLOT_LIMIT)
            self.assertEqual(self.provider.state()["in_flight"], SLOT_LIMIT)
        statuses = Counter(answer.status_code for answer in self.answers(sent))
        state = self.provider.state()
        self.assertEqual((state["max_in_flight"], state["calls"]), (SLOT_LIMIT, SLOT_LIMIT))
        self.assertEqual(statuses, {200: SLOT_LIMIT, 429: 20 - SLOT_LIMIT})
        self.assert_both_were_asked()

    def test_one_photo_sent_to_both_with_one_key_is_one_order(self) -> None:
        photo = jpeg()
        answers = self.answers([self.send(photo, key="order-9") for _ in range(12)])
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(len({answer.content for answer in answers}), 1)
        self.assertEqual(len({answer.headers["X-Job-Id"] for answer in answers}), 1)
        self.assertEqual(self.provider.state()["calls"], 1)

    def test_a_result_is_read_from_either_machine_and_lies_on_none(self) -> None:
        for machine in self.machines:
            answer = self.post(machine)
            path = f"/public/results/{answer.headers['X-Job-Id']}"
            for asked in self.machines:
                seen = httpx.get(f"{asked.url}{path}")
                self.assertEqual((seen.status_code, seen.content), (200, answer.content))
        self.assertEqual(self.results(), [])
        self.assertTrue(all(name.startswith("booths/results/") for name in self.bucket.stored()))

    def test_a_killed_machine_loses_the_photos_it_held_and_no_other(self) -> None:
        living = self.machines[0]
        with self.site.server() as dying:
            front = self.enterContext(fronts.nginx(self.site, [dying.port, living.port]))
            with self.provider.holding():
                sent = self.send_to_each(front)
                self.eventually(lambda: self.provider.state()["in_flight"] == len(sent))
                dying.process.kill()
                dying.process.wait(60)  # until then the kernel takes connections in its name
            sent_after = self.send_to_each(front)
            lost = [a for a in self.answers(sent) if a.status_code != 200]
            self.assertTrue(0 < len(lost) < len(sent))
            self.assertEqual({answer.status_code for answer in lost}, {502})
            self.assertEqual({a.status_code for a in self.answers(sent_after)}, {200})
        self.assert_only_held_photos_are_lost(dying, front.answered(), len(lost))
        self.assert_pictures_are_there(living, [*sent, *sent_after])
        self.assert_the_dead_jobs_look_interrupted(living, len(lost))

    def assert_only_held_photos_are_lost(
        self, dying: server_process.Server, answered: list[tuple[int, str]], lost: int
    ) -> None:
        failed = [servers for status, servers in answered if status == 502]
        self.assertEqual(failed, [f"127.0.0.1:{dying.port}"] * lost)

    def assert_pictures_are_there(
        self, living: server_process.Server, sent: Sequence["Future[httpx.Response]"]
    ) -> None:
        for answer in self.answers(sent):
            if answer.status_code == 200:
                link = f"{living.url}/public/results/{answer.headers['X-Job-Id']}"
                self.assertEqual(httpx.get(link).content, answer.content)

    def assert_the_dead_jobs_look_interrupted(
        self, living: server_process.Server, lost: int
    ) -> None:
        open_now = "status = 'processing'"
        self.assertEqual(self.count_jobs(open_now), lost)
        rows = self.site.rows(f"select job_id from job_history where {open_now}")
        self.site.execute(f"update job_history set deadline = '{LONG_AGO}' where {open_now}")
        for (job_id,) in rows:
            seen = httpx.get(f"{living.url}/api/jobs/{job_id}").json()
            self.assertEqual((seen["status"], seen["failure_reason"]), ("failed", "interrupted"))

    def count_jobs(self, condition: str) -> int:
        return int(self.site.rows(f"select count(*) from job_history where {condition}")[0][0])
