"""What bodies hold together while they arrive."""

from django.test import SimpleTestCase

from photochanger.edge import reception
from photochanger.edge.reception import Reception
from photochanger.errors import RateLimited

MB = 1024 * 1024


class ReceptionTests(SimpleTestCase):
    def test_one_address_leaves_room_for_others(self) -> None:
        room = Reception()
        for _ in range(2):
            room.begin()
        room.take("10.0.0.1", reception.ADDRESS_BYTES)
        with self.assertRaises(RateLimited):
            room.take("10.0.0.1", 1)
        room.take("10.0.0.2", 15 * MB)
        room.end("10.0.0.1", reception.ADDRESS_BYTES + 1)
        room.begin()
        room.take("10.0.0.1", 15 * MB)

    def test_all_together_have_a_limit_that_ends_with_them(self) -> None:
        room, size = Reception(), reception.TOTAL_BYTES // 4
        for number in range(4):
            room.begin()
            room.take(f"10.0.0.{number}", size)
        with self.assertRaises(RateLimited):
            room.take("10.0.0.9", 1)
        for number in range(4):
            room.end(f"10.0.0.{number}", size)
        room.end("10.0.0.9", 1)
        room.begin()
        room.take("10.0.0.9", MB)

    def test_many_senders_get_smaller_batches(self) -> None:
        room = Reception()
        self.assertEqual(room.batch_bytes, reception.MAX_BATCH_BYTES)
        for _ in range(1000):
            room.begin()
        self.assertLessEqual(room.batch_bytes * room.senders, 2 * reception.BATCHES_BYTES)
