"""Memory of the nets: given back once they rest, and not between two photos."""

from unittest import mock

from django.test import SimpleTestCase

from media.nets import memory
from photochanger.testing.waiting import wait_until


class NetMemoryTests(SimpleTestCase):
    def test_memory_is_given_back_once_and_only_when_nothing_works(self) -> None:
        with mock.patch.object(memory, "_trim") as trim:
            with mock.patch.object(memory, "IDLE_S", 3600.0):
                memory.give_memory_back_when_idle()
                waiting = memory._Idle.timer
            with mock.patch.object(memory, "IDLE_S", 0.01):
                memory.give_memory_back_when_idle()
            wait_until(lambda: trim.called)
            assert waiting is not None
            waiting.join()  # it was told to stop
        trim.assert_called_once_with(0)

    def test_a_system_that_cannot_give_it_back_starts_nothing(self) -> None:
        with (
            mock.patch.object(memory, "_trim", None),
            mock.patch.object(memory._Idle, "timer", None),
        ):
            memory.give_memory_back_when_idle()
            assert memory._Idle.timer is None
