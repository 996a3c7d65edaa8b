import asyncio
from typing import Any

from django.test import SimpleTestCase

from photochanger.edge.download_throttle import STARTING_AT_ONCE, DownloadThrottle, TurnLimiter

LINK = "/public/results/3f2b4c6d-0000-4000-8000-000000000000"


class TurnLimiterTests(SimpleTestCase):
    async def test_only_so_many_continue_in_each_iteration_and_in_their_order(self) -> None:
        limiter, finished = TurnLimiter(3), list[int]()

        async def go(number: int) -> None:
            await limiter.wait_for_turn()
            finished.append(number)

        tasks = [asyncio.create_task(go(number)) for number in range(10)]
        seen = []
        while len(finished) < 10:
            await asyncio.sleep(0)
            seen.append(len(finished))
        await asyncio.gather(*tasks)
        self.assertEqual(finished, list(range(10)))
        steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
        self.assertLessEqual(max(steps), 3)

    async def test_a_cancelled_caller_delays_nobody(self) -> None:
        limiter = TurnLimiter(1)
        tasks = [asyncio.create_task(limiter.wait_for_turn()) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        self.assertEqual([isinstance(end, BaseException) for end in ended].count(True), 1)


class DownloadThrottleTests(SimpleTestCase):
    def setUp(self) -> None:
        self.started, self.may_start = 0, asyncio.Event()
        self.throttle = DownloadThrottle(self.app)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.started += 1
        await self.may_start.wait()
        if scope["path"].endswith("broken"):
            raise RuntimeError
        await send({"type": "http.response.start"})
        await asyncio.Event().wait()  # a phone that never takes its picture

    async def request(
        self, path: str, count: int, *headers: tuple[bytes, bytes]
    ) -> list[asyncio.Task[None]]:
        async def ignore(*_: object) -> None: ...

        scope = {"type": "http", "path": path, "headers": headers}
        tasks = [asyncio.create_task(self.throttle(scope, ignore, ignore)) for _ in range(count)]
        await self.run_event_loop()
        return tasks

    async def run_event_loop(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def cancel(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_a_few_start_at_a_time_and_slow_phones_hold_no_place(self) -> None:
        tasks = await self.request(LINK, 20)
        self.assertEqual(self.started, STARTING_AT_ONCE)
        self.may_start.set()
        await self.run_event_loop()
        self.assertEqual(self.started, 20)
        await self.cancel(tasks)

    async def test_a_failed_download_releases_its_place(self) -> None:
        self.may_start.set()
        tasks = await self.request(f"{LINK}/broken", 20)
        self.assertEqual(self.started, 20)
        await self.cancel(tasks)

    async def test_requests_with_slow_bodies_delay_nobody(self) -> None:
        slow = await self.request(f"{LINK}/delete", 10, (b"content-length", b"100"))
        slow += await self.request(LINK, 10, (b"transfer-encoding", b"chunked"))
        before = self.started
        phones = await self.request(LINK, 3, (b"content-length", b"0"))
        self.assertEqual(self.started - before, 3)
        await self.cancel(slow + phones)

    async def test_pictures_of_links_that_are_made_one_by_one_delay_no_download(self) -> None:
        made = await self.request(f"{LINK}/share.jpg", 40)
        before = self.started
        phones = await self.request(LINK, 3)
        self.assertEqual(self.started - before, 3)
        await self.cancel(made + phones)

    async def test_other_paths_are_not_throttled(self) -> None:
        downloads = await self.request(LINK, 10)
        photos = await self.request("/ingest/slot-001", 20)
        self.assertEqual(self.started, STARTING_AT_ONCE + 20)
        await self.cancel(downloads + photos)
