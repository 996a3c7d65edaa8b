"""Whoever is refused again and again is answered ever more slowly; nobody else waits."""

import asyncio
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from photochanger.edge import refusal_pace
from photochanger.edge.refusal_pace import BURST, MAX_WAIT_S, PER_SECOND, RefusalPace, RefusalTurns


class RefusalTurnsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.turns = RefusalTurns()

    def take(self, count: int, now: float = 1000.0, address: str = "192.0.2.1") -> float:
        return max(self.turns.take(address, now) for _ in range(count))

    def test_some_at_once_are_free_and_the_next_ones_come_at_a_rate(self) -> None:
        self.assertEqual(self.take(BURST), 0.0)
        self.assertAlmostEqual(self.take(1), 1 / PER_SECOND)
        self.assertAlmostEqual(self.take(1), 2 / PER_SECOND)
        self.assertEqual(self.take(1, address="192.0.2.2"), 0.0)

    def test_nobody_waits_longer_than_the_most_and_all_is_forgiven_after_a_while(self) -> None:
        self.assertEqual(self.take(10_000), MAX_WAIT_S)
        self.assertEqual(self.take(BURST, now=1001.0 + MAX_WAIT_S + BURST / PER_SECOND), 0.0)

    def test_strangers_do_not_fill_the_memory(self) -> None:
        with mock.patch.object(refusal_pace, "MAX_ADDRESSES", 5):
            for number in range(50):
                self.take(1, address=str(number))
        self.assertEqual(len(self.turns._due_at), 5)


class RefusalPaceTests(SimpleTestCase):
    def setUp(self) -> None:
        self.waits: list[float] = []
        self.enterContext(mock.patch.object(asyncio, "sleep", self.sleep))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

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
