"""Whoever is refused again and again is answered ever more slowly; nobody else waits."""

import asyncio
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from photochanger.edge.refusal_pace import BURST, RefusalPace


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
