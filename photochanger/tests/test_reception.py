"""What bodies hold together while they arrive, and who makes room when it is too much."""

import asyncio
import time
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from photochanger.edge import body, reception
from photochanger.edge.body import RequestBody
from photochanger.edge.reception import Reception, Sender
from photochanger.errors import RateLimited
from photochanger.request_scope import ARRIVED_KEY

MB = 1024 * 1024


class ReceptionTests(SimpleTestCase):
    def setUp(self) -> None:
        self.room, self.now = Reception(), 0.0
        loop = mock.Mock(time=lambda: self.now)
        self.enterContext(mock.patch.object(asyncio, "get_running_loop", lambda: loop))

    def begin(self, address: str, size_bytes: int = 0) -> Sender:
        sender = Sender(address)
        self.room.begin(sender)
        if size_bytes:
            self.bring(sender, size_bytes)
        return sender

    def bring(self, sender: Sender, size_bytes: int, *, after_s: float = 0.01) -> None:
        with self.room.watch(sender, mock.Mock()):
            self.now += after_s
        self.room.take(sender, size_bytes)

    def fill(self, address: str, total_bytes: int) -> list[Sender]:
        """Bodies that have stopped short of their end, but for a byte now and then."""
        senders = [self.begin(address, 15 * MB) for _ in range(total_bytes // (15 * MB))]
        for sender in senders:
            for _ in range(10):
                self.bring(sender, 1, after_s=0.7)
        return senders

    def find_cut(self, senders: list[Sender]) -> int:
        return sum(sender.cut_off is not None for sender in senders)

    def test_bodies_that_trickle_make_room_for_a_photo_from_the_same_address(self) -> None:
        trickling = self.fill("10.0.0.1", reception.ADDRESS_BYTES)
        photo = self.begin("10.0.0.1")
        for _ in range(60):
            self.bring(photo, MB // 4, after_s=0.3)
        self.assertIsNone(photo.cut_off)
        self.assertEqual(self.find_cut(trickling), 1)

    def test_whoever_holds_most_makes_room_for_others(self) -> None:
        most = self.fill("10.0.0.1", reception.TOTAL_BYTES // 2)
        less = self.fill("10.0.0.2", reception.TOTAL_BYTES // 2 - 20 * MB)
        for number in range(3):
            photo = self.begin(f"10.0.1.{number}", 15 * MB)
            self.assertIsNone(photo.cut_off)
        self.assertEqual((self.find_cut(most), self.find_cut(less)), (1, 0))

    def test_the_slowest_of_all_is_told_so_itself(self) -> None:
        fast = [self.begin("10.0.0.1") for _ in range(2)]
        slow = self.begin("10.0.0.1", 1000)
        for sender in fast:
            self.bring(sender, reception.ADDRESS_BYTES // 2 - 1000)
        with self.assertRaises(RateLimited):
            self.bring(slow, 2000, after_s=1.5)
        self.assertEqual(self.find_cut(fast), 0)

    def test_what_is_waited_for_is_broken_off_at_once(self) -> None:
        slow, timeout = self.begin("10.0.0.1", 1000), mock.Mock()
        with self.room.watch(slow, timeout):
            self.now += 60
            self.begin("10.0.0.1", reception.ADDRESS_BYTES)
            timeout.reschedule.assert_called_once_with(self.now)
        self.assertIsInstance(slow.cut_off, RateLimited)

    def test_room_ends_with_its_bodies(self) -> None:
        for _ in range(2 * reception.ADDRESS_BYTES // (15 * MB)):
            sender = self.begin("10.0.0.1", 15 * MB)
            for _ in range(2):
                self.room.end(sender)
            self.assertIsNone(sender.cut_off)

    def test_a_byte_now_and_then_is_a_pause(self) -> None:
        sender, timeout = self.begin("10.0.0.1"), mock.Mock()
        call_later = asyncio.get_running_loop().call_later  # a mock of it
        for wait_s in (1.0, 0.3, 0.0):
            with self.room.watch(sender, timeout):
                self.now += 0.7
            self.assertAlmostEqual(call_later.call_args.args[0], wait_s)  # type: ignore[attr-defined]
            self.room.take(sender, 1)
        self.bring(sender, reception.PROGRESS_BYTES)
        self.bring(sender, 1)
        self.assertEqual(call_later.call_args.args[0], 1.0)  # type: ignore[attr-defined]

    def test_many_senders_get_smaller_batches(self) -> None:
        self.assertEqual(self.room.batch_bytes, reception.MAX_BATCH_BYTES)
        for _ in range(1000):
            self.begin("10.0.0.1")
        self.assertLessEqual(self.room.batch_bytes * 1000, 2 * reception.BATCHES_BYTES)


class CutBodyTests(SimpleTestCase):
    """Bodies of one address, in a room for 1,000 bytes."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.object(reception, "ADDRESS_BYTES", 1000))
        self.enterContext(mock.patch.object(body, "reception", Reception()))

    def open(self, address: str = "192.0.2.1") -> tuple[RequestBody, "asyncio.Queue[Any]"]:
        pieces: asyncio.Queue[Any] = asyncio.Queue()
        headers = [(b"transfer-encoding", b"chunked")]
        scope = {"client": (address, 1), "headers": headers, ARRIVED_KEY: time.monotonic()}
        opened = RequestBody(scope, pieces.get, cap_bytes=10_000)
        opened.open()
        self.addCleanup(opened.close)
        return opened, pieces

    async def bring(self, opened: Any, size_bytes: int, *, is_whole: bool = False) -> None:
        one, pieces = opened
        pieces.put_nowait(
            {"type": "http.request", "body": bytes(size_bytes), "more_body": not is_whole}
        )
        await one.receive()

    async def test_one_that_is_waited_for_is_cut_off_for_a_faster_one(self) -> None:
        slow = self.open("2001:db8::1")
        await self.bring(slow, 600)
        waiting = asyncio.create_task(slow[0].receive())
        await asyncio.sleep(0.01)
        await self.bring(self.open("2001:db8::2"), 600)
        with self.assertRaises(RateLimited):
            await waiting
        with self.assertRaises(RateLimited):
            await slow[0].receive()

    async def test_what_came_whole_is_never_cut(self) -> None:
        whole = self.open()
        await self.bring(whole, 600)
        await self.bring(whole, 600, is_whole=True)
        self.assertTrue(whole[0].is_complete)
        await self.bring(self.open(), 600)
        whole[1].put_nowait({"type": "http.disconnect"})
        self.assertEqual(await whole[0].receive(), {"type": "http.disconnect"})
