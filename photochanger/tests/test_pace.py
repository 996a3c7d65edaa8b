"""Whoever asks for the same again and again is answered ever more slowly."""

from unittest import mock

from django.test import SimpleTestCase

from photochanger.threads import pace
from photochanger.threads.pace import MAX_WAIT_S, Pace

BURST, PER_SECOND = 20, 10.0


class PaceTests(SimpleTestCase):
    def setUp(self) -> None:
        self.pace = Pace(BURST, PER_SECOND)

    def take(self, count: int, now: float = 1000.0, key: str = "192.0.2.1") -> float:
        return max(self.pace.take(key, now) for _ in range(count))

    def test_some_at_once_are_free_and_the_next_ones_come_at_a_rate(self) -> None:
        self.assertEqual(self.take(BURST), 0.0)
        self.assertAlmostEqual(self.take(1), 1 / PER_SECOND)
        self.assertAlmostEqual(self.take(1), 2 / PER_SECOND)
        self.assertEqual(self.take(1, key="192.0.2.2"), 0.0)

    def test_nobody_waits_longer_than_the_most_and_all_is_forgiven_after_a_while(self) -> None:
        self.assertEqual(self.take(10_000), MAX_WAIT_S)
        self.assertEqual(self.take(BURST, now=1001.0 + MAX_WAIT_S + BURST / PER_SECOND), 0.0)

    def test_strangers_do_not_fill_the_memory(self) -> None:
        with mock.patch.object(pace, "MAX_KEYS", 5):
            for number in range(50):
                self.take(1, key=str(number))
        self.assertEqual(len(self.pace._due_at), 5)
