"""Steps that finish although nobody waits for them any more."""

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from structlog.testing import capture_logs

from photochanger.tasks import DEAR, run_in_worker, run_to_completion
from photochanger.threads.priority import NICENESS, lower_priority


class CompletionTests(SimpleTestCase):
    async def give_up(self, step: Any, may_end: asyncio.Event) -> None:
        """Cancel whoever waits for a step that has begun, and then let the step end."""
        waiting = asyncio.ensure_future(run_to_completion(step))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        self.assertFalse(waiting.done())
        may_end.set()
        with self.assertRaises(asyncio.CancelledError):
            await waiting

    async def test_a_step_ends_although_its_booth_has_hung_up(self) -> None:
        may_end, ended = asyncio.Event(), []

        async def step() -> None:
            await may_end.wait()
            ended.append(True)

        await self.give_up(step(), may_end)
        self.assertEqual(ended, [True])

    async def test_what_it_raises_then_is_told_once_and_by_its_name(self) -> None:
        may_end, complaints = asyncio.Event(), []

        async def step() -> None:
            await may_end.wait()
            raise ValueError("words of a stranger")

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        self.addCleanup(loop.set_exception_handler, None)
        with capture_logs() as logs:
            await self.give_up(step(), may_end)
        gc.collect()
        await asyncio.sleep(0)
        self.assertEqual(complaints, [])
        told = [{"event": "task.failed_after_cancel", "detail": "ValueError", "log_level": "info"}]
        self.assertEqual(logs, told)

    async def test_what_it_raises_otherwise_reaches_who_waits(self) -> None:
        async def step() -> None:
            raise ValueError

        with self.assertRaises(ValueError):
            await run_to_completion(step())


class DearTests(SimpleTestCase):
    async def test_dear_photos_give_way_to_all_others(self) -> None:
        dear, ordinary = [await run_in_worker(line, get_niceness) for line in (DEAR, "slot-001")]
        self.assertEqual(dear - ordinary, NICENESS)

    def test_a_system_that_refuses_a_lower_priority_gets_the_work_done_all_the_same(self) -> None:
        refused = mock.patch("os.setpriority", side_effect=PermissionError(1, "not permitted"))
        with refused, ThreadPoolExecutor(1, initializer=lower_priority) as pool:
            self.assertEqual(pool.submit(get_niceness).result(), get_niceness())


def get_niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
