"""Many requests that are complete at once take turns."""

import asyncio
from unittest import mock

from django.test import SimpleTestCase

from photochanger.server import gate
from photochanger.server.gate import Gate, Leave


class Guest:
    def __init__(self, name: str) -> None:
        self.name, self.is_turned_away = name, False

    def turn_away(self) -> None:
        self.is_turned_away = True


class GateTests(SimpleTestCase):
    def setUp(self) -> None:
        self.told, self.leaves = list[str](), list[Leave]()

    def queue(self, door: Gate, names: str) -> list[Guest]:
        """Each letter is a request, and its address."""
        guests = [Guest(name) for name in names]
        for guest in guests:

            def start(leave: Leave, name: str = guest.name) -> None:
                self.told.append(name)
                self.leaves.append(leave)

            door.queue(guest, guest.name, start)
        return guests

    async def test_only_a_few_start_in_each_iteration_of_the_loop(self) -> None:
        self.queue(Gate(), "a" * 3 * gate.PER_ITERATION)
        for count in range(4):
            self.assertEqual(len(self.told), min(count, 3) * gate.PER_ITERATION)
            await asyncio.sleep(0)

    async def test_so_many_are_in_work_and_the_next_comes_when_one_leaves(self) -> None:
        self.queue(Gate(2), "aaaa")
        for leave in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.assertEqual(len(self.told), 2 + leave)
            if leave < 2:
                for _ in range(2):  # twice is once
                    self.leaves[leave]()

    async def test_whoever_stays_long_keeps_nobody_waiting(self) -> None:
        with mock.patch.object(gate, "PLACE_S", 0.01):
            door, last = Gate(1), asyncio.Event()
            self.queue(door, "abc")
            door.queue(Guest("d"), "d", lambda _leave: last.set())
            await last.wait()
        self.assertEqual(self.told, ["a", "b", "c"])

    async def test_a_crowd_of_one_address_keeps_no_other_waiting(self) -> None:
        self.queue(Gate(6), "aaaaaabc")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.assertEqual("".join(self.told), "abcaaa")

    async def test_the_newest_of_the_longest_line_makes_room(self) -> None:
        door = Gate(1)
        guests = self.queue(door, "abaac")
        self.assertTrue(door.evict())
        self.assertEqual([guest.is_turned_away for guest in guests], [*[False] * 3, True, False])
        self.assertEqual(len(door), 4)

    async def test_whoever_hangs_up_is_left_out(self) -> None:
        door = Gate()
        guests = self.queue(door, "ab")
        for guest in (guests[0], guests[0]):
            door.discard(guest)
        await asyncio.sleep(0)
        self.assertEqual(self.told, ["b"])
        self.assertFalse(door.evict())
