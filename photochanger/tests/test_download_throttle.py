import asyncio
from typing import Any

from django.test import SimpleTestCase

from photochanger.edge.download_throttle import STARTING_AT_ONCE, FairDownloads, Pace

LINK = "/public/results/3f2b4c6d-0000-4000-8000-000000000000"


class PaceTests(SimpleTestCase):
    async def test_so_many_go_on_in_each_turn_and_in_their_order(self) -> None:
        pace, gone = Pace(3), list[int]()

        async def go(number: int) -> None:
            await pace.turn()
            gone.append(number)

        tasks = [asyncio.create_task(go(number)) for number in range(10)]
        seen = []
        while len(gone) < 10:
            await asyncio.sleep(0)
            seen.append(len(gone))
        await asyncio.gather(*tasks)
        self.assertEqual(gone, list(range(10)))
        steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
        self.assertLessEqual(max(steps), 3)

    async def test_one_who_hangs_up_holds_up_nobody(self) -> None:
        pace = Pace(1)
        tasks = [asyncio.create_task(pace.turn()) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        self.assertEqual([isinstance(end, BaseException) for end in ended].count(True), 1)


class FairDownloadsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.begun, self.may_start = 0, asyncio.Event()
        self.fair = FairDownloads(self.answer)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        await self.may_start.wait()
        if scope["path"].endswith("broken"):
            raise RuntimeError
        await send({"type": "http.response.start"})
        await asyncio.Event().wait()  # a phone that never takes its picture

    async def ask(
        self, path: str, count: int, *headers: tuple[bytes, bytes]
    ) -> list[asyncio.Task[None]]:
        async def nowhere(*_: object) -> None: ...

        scope = {"type": "http", "path": path, "headers": headers}
        tasks = [asyncio.create_task(self.fair(scope, nowhere, nowhere)) for _ in range(count)]
        await self.rest()
        return tasks

    async def rest(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_a_few_begin_at_a_time_and_slow_phones_hold_no_place(self) -> None:
        tasks = await self.ask(LINK, 20)
        self.assertEqual(self.begun, STARTING_AT_ONCE)
        self.may_start.set()
        await self.rest()
        self.assertEqual(self.begun, 20)
        await self.end(tasks)

    async def test_one_that_breaks_gives_its_place_back(self) -> None:
        self.may_start.set()
        tasks = await self.ask(f"{LINK}/broken", 20)
        self.assertEqual(self.begun, 20)
        await self.end(tasks)

    async def test_those_who_are_slow_to_send_a_body_hold_up_nobody(self) -> None:
        slow = await self.ask(f"{LINK}/delete", 10, (b"content-length", b"100"))
        slow += await self.ask(LINK, 10, (b"transfer-encoding", b"chunked"))
        before = self.begun
        phones = await self.ask(LINK, 3, (b"content-length", b"0"))
        self.assertEqual(self.begun - before, 3)
        await self.end(slow + phones)

    async def test_everything_else_passes_by(self) -> None:
        downloads = await self.ask(LINK, 10)
        photos = await self.ask("/ingest/slot-001", 20)
        self.assertEqual(self.begun, STARTING_AT_ONCE + 20)
        await self.end(downloads + photos)
