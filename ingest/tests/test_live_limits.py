"""Two server processes on one database: limits and duplicates with many photos at once."""

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import httpx

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import server_process, server_watch
from photochanger.testing.marks import both_databases

pytestmark = both_databases

SLOT_LIMIT, PROVIDER_LIMIT = 4, 6
LANES = 3 + 2
QUICK_SLOTS = tuple(f"slot-{number:03}" for number in range(1, 10))
SLOW_SLOT, T_SYNC_S, SLOW_S = "slot-010", 10, 150


class TwoServersTestCase(LiveTestCase):
    """Slots 1 to 9 take half a second, slot 10 longer than it may wait."""

    simulated: ClassVar[Mapping[str, Any]] = {"plain": True, "latency_s": 0.5}
    servers: tuple[server_process.Server, server_process.Server]
    answered = 0  # photos of the crowd of now
    limits: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        recipe = {"prompt": "As an oil painting"}
        slots: dict[str, dict[str, Any]] = dict.fromkeys(QUICK_SLOTS, {"settings": recipe})
        slots[SLOW_SLOT] = {
            "settings": {**recipe, "model": f"sim-slow={SLOW_S}"},
            "sync_response_seconds": T_SYNC_S,
        }
        cls.site.configure_all(slots, limits=cls.limits)
        cls.servers = (
            cls.enterClassContext(cls.site.server()),
            cls.enterClassContext(cls.site.server()),
        )

    def post_all(
        self,
        photos: Sequence[bytes],
        *,
        slots: Iterable[str] = ("slot-001",),
        at_once: int = 100,
        key: str | None = None,
        servers: Iterable[server_process.Server] | None = None,
    ) -> list[httpx.Response]:
        """Send each photo, turn and turn about to the slots and the servers."""
        turns = zip(
            photos,
            itertools.cycle(slots),
            itertools.cycle(servers or self.servers),
            strict=False,
        )
        urls = [(photo, f"{server.url}/ingest/{slot}") for photo, slot, server in turns]
        return asyncio.run(self._post_all(urls, at_once, {"Idempotency-Key": key} if key else {}))

    async def _post_all(
        self, urls: list[tuple[bytes, str]], at_once: int, headers: Mapping[str, str]
    ) -> list[httpx.Response]:
        places = asyncio.Semaphore(at_once)
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=180, limits=limits, headers=headers) as client:

            async def post(photo: bytes, url: str) -> httpx.Response:
                async with places:
                    answer = await client.post(
                        url,
                        data={"password": self.site.password},
                        files={"fileToUpload": ("IMG_0001.JPG", photo, "image/jpeg")},
                    )
                self.answered += 1
                return answer

            self.answered = 0
            return await asyncio.gather(*(post(photo, url) for photo, url in urls))

    def logs(self) -> str:
        return "".join(server.log_text() for server in self.servers)


class LimitTests(TwoServersTestCase):
    limits: ClassVar[Mapping[str, Any]] = {
        "max_jobs_per_slot": SLOT_LIMIT,
        "max_jobs_per_provider": PROVIDER_LIMIT,
    }

    def assert_held(self, limit: int, *, slots: Iterable[str]) -> None:
        """Exactly ``limit`` photos of a crowd are accepted; the others are refused meanwhile."""
        before = self.jobs()
        for round_ in (1, 2):  # the places of the first round are free in the second
            with ThreadPoolExecutor(1) as crowd, self.provider.holding():
                posted = crowd.submit(self.post_all, [jpeg() for _ in range(40)], slots=slots)
                self.eventually(lambda: self.answered == 40 - limit)
                self.assertEqual(self.provider.state()["in_flight"], limit)
            answers = posted.result()
            statuses = Counter(answer.status_code for answer in answers)
            self.assertEqual(statuses, {200: limit, 429: 40 - limit})
            state = self.provider.state()
            self.assertEqual((state["max_in_flight"], state["calls"]), (limit, round_ * limit))
            self.assertEqual(self.jobs() - before, round_ * limit)  # refused ones leave no rows
            self.assert_refused_for_want_of_a_place(answers)

    def assert_refused_for_want_of_a_place(self, answers: list[httpx.Response]) -> None:
        for answer in answers:
            if answer.status_code == 429:
                self.assertEqual(answer.json()["failure_reason"], "rate_limited")
                self.assertEqual(int(answer.headers["Retry-After"]), answer.json()["retry_after"])

    def test_a_slots_limit_holds_over_two_processes(self) -> None:
        self.assert_held(SLOT_LIMIT, slots=QUICK_SLOTS[:1])

    def test_a_providers_limit_holds_over_two_processes_and_many_slots(self) -> None:
        self.assert_held(PROVIDER_LIMIT, slots=QUICK_SLOTS)


class ManyPhotosTests(TwoServersTestCase):
    def assert_one_order(self, answers: list[httpx.Response]) -> None:
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(len({answer.content for answer in answers}), 1)
        self.assertEqual(len({answer.headers["X-Job-Id"] for answer in answers}), 1)
        replays = [a for a in answers if a.headers.get("X-PhotoChanger-Replay") == "1"]
        self.assertEqual(len(replays), len(answers) - 1)
        self.assertEqual(self.provider.state()["calls"], 1)

    def test_sixty_posts_of_one_photo_with_one_key_are_one_order(self) -> None:
        before = self.jobs()
        self.assert_one_order(self.post_all([jpeg()] * 60, key="order-7"))
        self.assertEqual(self.jobs() - before, 1)

    def test_sixty_posts_of_one_photo_without_a_key_are_one_order(self) -> None:
        before = self.jobs()
        self.assert_one_order(self.post_all([jpeg()] * 60))
        self.assertEqual(self.jobs() - before, 1)

    def test_one_key_with_two_photos_at_once_is_one_order_and_conflicts(self) -> None:
        answers = self.post_all([jpeg(), jpeg()] * 10, key="order-8")
        self.assertEqual({answer.status_code for answer in answers}, {200, 409})
        jobs = {a.headers.get("X-Job-Id") or a.json()["job_id"] for a in answers}
        self.assertEqual((len(jobs), self.provider.state()["calls"]), (1, 1))

    def test_waiting_photos_hold_no_connection_and_no_thread_each(self) -> None:
        server = self.servers[0]
        self.post(server)  # so that what is bought once is there
        photos = [jpeg() for _ in range(60)]
        with (
            server_watch.Watch(server, self.site.database_url) as watch,
            ThreadPoolExecutor(1) as crowd,
        ):
            with self.provider.holding():
                posted = crowd.submit(self.post_all, photos, servers=[server])
                self.eventually(lambda: self.provider.state()["in_flight"] == len(photos))
                seen = watch.samples
                self.eventually(lambda: watch.samples > seen + 2)
            answers = posted.result()
        self.assertEqual({answer.status_code for answer in answers}, {200})
        of_python = min(32, (os.cpu_count() or 1) + 4)  # its own pool; then lanes, files, decoders
        self.assertLess(watch.max_threads - of_python, len(photos) / 2)
        if watch.counter:  # the idle server holds one for each lane too
            self.assertLessEqual(watch.max_connections, 2 * LANES)

    def test_a_hundred_photos_meet_no_lock_and_one_that_waits_too_long_is_refused(
        self,
    ) -> None:
        files = len(self.results())
        with ThreadPoolExecutor(1) as meanwhile:
            slow = meanwhile.submit(self.post_in_vain)
            answers = self.post_all([jpeg() for _ in range(100)], slots=QUICK_SLOTS, at_once=20)
            slow.result()
        self.assertEqual({answer.status_code for answer in answers}, {200})
        self.assertEqual(len({answer.headers["X-Job-Id"] for answer in answers}), 100)
        self.assertNotIn("database is locked", self.logs())
        self.assertNotIn("http.database_failed", self.logs())
        self.assertEqual(self.provider.state()["clients_left"], 1)
        self.eventually(lambda: len(self.results()) - files == 2 * 100)  # with their previews

    def post_in_vain(self) -> None:
        answer = self.post(self.servers[0], slot=SLOW_SLOT)
        took_s = answer.elapsed.total_seconds()
        content = answer.json()
        self.assertEqual(answer.status_code, 504)
        self.assertEqual((content["status"], content["failure_reason"]), ("timeout", "timeout"))
        # Not before its time, and long before the provider would have answered.
        self.assertTrue(T_SYNC_S - 0.6 < took_s < SLOW_S - 10, took_s)
        sql = f"select status, failure_reason from job_history where slot_id = '{SLOW_SLOT}'"
        self.assertEqual(self.site.rows(sql), [("timeout", "timeout")])
