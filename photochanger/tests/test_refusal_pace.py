"""Whoever is refused again and again is answered ever more slowly; nobody else waits."""

import asyncio
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from photochanger.edge.refusal_pace import BURST, HeldAnswers, RefusalPace


class RefusalPaceTests(SimpleTestCase):
    def setUp(self) -> None:
        self.waits: list[float] = []
        self.enterContext(mock.patch.object(HeldAnswers, "hold", self.hold))
        self.is_let_go = False

    async def hold(self, _address: str, seconds: float) -> bool:
        self.waits.append(seconds)
        return not self.is_let_go

    async def answer(self, status: int, address: str = "192.0.2.1", times: int = BURST + 5) -> int:
        """How many of them waited."""
        self.waits.clear()

        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": status})
            await send({"type": "http.response.body"})

        self.pace.app = app
        for _ in range(times):
            sent: list[Any] = []
            scope = {"type": "http", "client": (address, 1)}
            await self.pace(scope, mock.AsyncMock(), mock.AsyncMock(side_effect=sent.append))
            self.assertEqual(len(sent), 2)
        return len(self.waits)

    async def test_only_refusals_wait_and_only_those_of_the_address_that_has_many(self) -> None:
        self.pace = RefusalPace(mock.AsyncMock(), get_time=lambda: 1000.0)
        self.assertEqual(await self.answer(401), 5)
        self.assertEqual(await self.answer(429, times=3), 3)
        self.assertEqual(await self.answer(200), 0)
        self.assertEqual(await self.answer(503), 0)
        self.assertEqual(await self.answer(404, address="192.0.2.2", times=3), 0)

    async def test_one_network_of_the_new_kind_is_one_sender(self) -> None:
        self.pace = RefusalPace(mock.AsyncMock(), get_time=lambda: 1000.0)
        self.assertEqual(await self.answer(401, address="2001:db8::1"), 5)
        self.assertEqual(await self.answer(401, address="2001:db8::2", times=1), 1)
        self.assertEqual(await self.answer(401, address="2001:db8:0:1::1", times=1), 0)

    async def test_one_that_makes_room_for_others_loses_its_connection(self) -> None:
        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 404, "headers": []})

        self.pace, starts = RefusalPace(app, get_time=lambda: 1000.0), list[Any]()
        for self.is_let_go in (*[False] * (BURST + 1), True):
            scope = {"type": "http", "client": ("192.0.2.1", 1)}
            await self.pace(scope, mock.AsyncMock(), mock.AsyncMock(side_effect=starts.append))
        close = (b"connection", b"close")
        self.assertEqual([close in start["headers"] for start in starts[-2:]], [False, True])


class HeldAnswersTests(SimpleTestCase):
    async def hold(self, held: HeldAnswers, addresses: str, wait_s: float) -> list[Any]:
        tasks = [asyncio.create_task(held.hold(address, wait_s)) for address in addresses]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.addCleanup(lambda: [task.cancel() for task in tasks])
        return tasks

    async def test_in_a_crowd_the_oldest_of_whoever_has_most_makes_room(self) -> None:
        tasks = await self.hold(HeldAnswers(4), "baaabb", 3600)
        self.assertEqual([task.done() for task in tasks], [True, True, *[False] * 4])
        self.assertFalse(tasks[0].result() or tasks[1].result())

    async def test_their_time_and_those_who_hang_up_leave_room(self) -> None:
        held = HeldAnswers(2)
        gone = await self.hold(held, "ab", 3600)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        due = await self.hold(held, "ab", 0.01)
        self.assertEqual(await asyncio.gather(*due), [True, True])
        self.assertEqual((held._count, held._by_address), (0, {}))
