"""Who waits for a lane, and who comes next."""

import asyncio
from collections.abc import Iterable

from django.test import SimpleTestCase

from photochanger.threads.fair_lanes import FairLanes


class FairLanesTests(SimpleTestCase):
    def setUp(self) -> None:
        self.lanes, self.told = FairLanes(1), list[str]()

    async def work(self, line: str, name: str) -> None:
        async with self.lanes.take(line):
            self.told.append(name)
            await asyncio.sleep(0)

    async def wait_in_lines(self, names: Iterable[str]) -> list[asyncio.Task[None]]:
        """By their first letter; each stands in its line before the next one comes."""
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(self.work(name[0], name)))
            await asyncio.sleep(0)
        return tasks

    async def test_a_crowd_keeps_nobody_else_waiting(self) -> None:
        async with self.lanes.take("a"):
            tasks = await self.wait_in_lines(("a1", "a2", "a3", "b1", "c1", "b2"))
        await asyncio.gather(*tasks)
        self.assertEqual(self.told, ["a1", "b1", "c1", "a2", "b2", "a3"])

    async def test_who_gives_up_is_left_out_and_holds_no_lane(self) -> None:
        async with self.lanes.take("a"):
            tasks = await self.wait_in_lines(("a1", "b1", "b2"))
            tasks[0].cancel()
            tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.assertEqual(self.told, ["b2"])
        await self.work("a", "next")

    async def test_who_gives_up_when_the_turn_has_come_passes_it_on(self) -> None:
        async with self.lanes.take("a"):
            tasks = await self.wait_in_lines(("a1", "b1"))
        tasks[0].cancel()  # its turn has come, and it has not heard of it yet
        await asyncio.gather(*tasks, return_exceptions=True)
        self.assertEqual(self.told, ["b1"])

    async def test_as_many_at_once_as_there_are_lanes(self) -> None:
        self.lanes, may_end = FairLanes(2), asyncio.Event()

        async def hold() -> None:
            async with self.lanes.take("a"):
                self.told.append("held")
                await may_end.wait()

        tasks = [asyncio.create_task(hold()) for _ in range(3)]
        for _ in range(3):
            await asyncio.sleep(0)
        self.assertEqual(len(self.told), 2)
        may_end.set()
        await asyncio.gather(*tasks)
        self.assertEqual(len(self.told), 3)
