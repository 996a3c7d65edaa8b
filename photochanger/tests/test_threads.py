"""A step that hangs holds nobody else: its caller goes on, and others get another thread."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.db import connection
from django.test import SimpleTestCase, TestCase

from photochanger.db.limits import CHECK_S, get_wait_s
from photochanger.db.postgresql.base import LimitedConnection
from photochanger.testing.marks import both_databases, only_postgresql
from photochanger.testing.waiting import PATIENCE_S, wait_until_async
from photochanger.threads.executor import LimitedExecutor
from photochanger.threads.time_limit import get_step_left_s, limit_waits_for, shorten_step
from photochanger.threads.turns import take_turn


class Late(Exception):
    pass


class ExecutorTests(SimpleTestCase):
    def setUp(self) -> None:
        self.release, self.cleaned_up = threading.Event(), list[str]()
        self.addCleanup(self.release.set)

    def make(self, *, limit_s: float = 0.3, patience_s: float | None = None) -> LimitedExecutor:
        executor = LimitedExecutor(
            "test",
            spares=1,
            limit_s=limit_s,
            patience_s=patience_s,
            make_error=Late,
            clean_up=lambda: self.cleaned_up.append("thread"),
        )
        self.addCleanup(executor.shutdown)
        return executor

    def hang(self) -> str:
        self.release.wait(PATIENCE_S)
        return "late"

    async def run_on(self, executor: LimitedExecutor, step: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(executor, step)

    async def test_steps_run_in_turn_on_one_thread(self) -> None:
        executor = self.make(limit_s=PATIENCE_S)
        names = [await self.run_on(executor, threading.get_ident) for _ in range(5)]
        self.assertEqual(len(set(names)), 1)
        with self.assertRaises(ZeroDivisionError):
            await self.run_on(executor, lambda: 1 / 0)

    async def test_a_step_runs_a_little_later_where_the_system_had_no_thread_left(self) -> None:
        executor = self.make(limit_s=PATIENCE_S)
        full = RuntimeError("can't start new thread")
        with mock.patch.object(threading.Thread, "start", side_effect=full):
            running = asyncio.ensure_future(self.run_on(executor, lambda: "done"))
            await asyncio.sleep(0)
        self.assertEqual(await running, "done")

    async def test_a_hanging_step_is_given_up_and_the_next_one_gets_a_fresh_thread(self) -> None:
        executor = self.make()
        with self.assertRaises(Late):
            await self.run_on(executor, self.hang)
        self.assertEqual(await self.run_on(executor, lambda: "well"), "well")

    async def test_who_waits_behind_a_hanging_step_is_answered_in_time_too(self) -> None:
        executor = self.make()
        hanging = [asyncio.ensure_future(self.run_on(executor, self.hang)) for _ in range(4)]
        found = await asyncio.gather(*hanging, return_exceptions=True)
        self.assertEqual([type(one) for one in found], [Late] * 4)

    async def test_so_many_threads_may_hang_and_no_more(self) -> None:
        executor, limit_s, more = self.make(limit_s=0.3), 0.3, 5
        before = threading.active_count()
        for _ in range(2):
            with self.assertRaises(Late):
                await self.run_on(executor, self.hang)
        self.assertTrue(executor.is_stuck)
        begun = time.monotonic()
        for _ in range(more):
            with self.assertRaises(Late):
                await self.run_on(executor, self.hang)
        # At once: had each of them waited, it would have taken all of their limits.
        self.assertLess(time.monotonic() - begun, more * limit_s)
        self.assertLessEqual(threading.active_count() - before, 2)
        self.release.set()
        await wait_until_async(lambda: not executor.is_stuck)
        self.assertEqual(await self.run_on(executor, lambda: "well"), "well")
        await wait_until_async(lambda: len(self.cleaned_up) == 1)  # one thread is enough again

    async def test_a_long_step_goes_on_while_others_get_a_thread(self) -> None:
        executor = self.make(limit_s=PATIENCE_S, patience_s=0.1)
        long = asyncio.ensure_future(self.run_on(executor, self.hang))
        self.assertEqual(await self.run_on(executor, lambda: "well"), "well")
        self.release.set()
        self.assertEqual(await long, "late")

    async def test_a_request_that_ends_sooner_waits_no_longer(self) -> None:
        executor = self.make(limit_s=PATIENCE_S)
        with limit_waits_for(0.2), self.assertRaises(Late):
            await self.run_on(executor, self.hang)
        with limit_waits_for(5.0):
            left_s = await self.run_on(executor, get_step_left_s)
        assert isinstance(left_s, float)
        self.assertLessEqual(left_s, 5.0)
        left_s = await self.run_on(executor, get_step_left_s)
        assert isinstance(left_s, float)
        self.assertGreater(left_s, 5.0)

    async def test_a_part_of_a_step_may_have_less_time_and_never_more(self) -> None:
        def look() -> list[float]:
            left_s = []
            for part_s in (5.0, 2 * PATIENCE_S):
                with shorten_step(part_s):
                    left_s.append(get_step_left_s() or 0.0)
            return [*left_s, get_step_left_s() or 0.0]

        found = await self.run_on(self.make(limit_s=PATIENCE_S), look)
        assert isinstance(found, list)
        self.assertLessEqual(found[0], 5.0)
        self.assertTrue(5.0 < found[1] <= PATIENCE_S and 5.0 < found[2] <= PATIENCE_S, found)

    async def test_a_cancelled_caller_leaves_a_thread_that_works(self) -> None:
        executor = self.make(limit_s=PATIENCE_S)
        waiting = [asyncio.ensure_future(self.run_on(executor, self.hang)) for _ in range(3)]
        await asyncio.sleep(0)
        for one in waiting:
            one.cancel()
        self.release.set()
        self.assertEqual(await self.run_on(executor, lambda: "well"), "well")


@both_databases
@only_postgresql("SQLite answers or is locked")
class ConnectionCheckTests(TestCase):
    def test_whether_a_connection_lives_is_waited_for_briefly(self) -> None:
        """Before each request's first query: an operator's then waited for two limits, 19 s."""
        waited_s: list[float | None] = []

        really_wait = LimitedConnection.wait

        def wait(self: LimitedConnection, *args: Any, **options: Any) -> Any:
            waited_s.append(get_wait_s())
            return really_wait(self, *args, **options)

        connection.ensure_connection()
        self.enterContext(mock.patch("photochanger.db.limits._Process.is_limited", True))
        with mock.patch.object(LimitedConnection, "wait", wait):
            self.assertTrue(connection.is_usable())
        self.assertTrue(waited_s)
        self.assertTrue(all(one is not None and one <= CHECK_S for one in waited_s), waited_s)


class TurnTests(SimpleTestCase):
    async def test_so_many_at_once_and_the_others_in_time(self) -> None:
        async with take_turn("slot", at_once=1, make_error=Late):
            with limit_waits_for(0.05), self.assertRaises(Late):
                async with take_turn("slot", at_once=1, make_error=Late):
                    self.fail("two at once")
            async with take_turn("another", at_once=1, make_error=Late):
                pass
        async with take_turn("slot", at_once=1, make_error=Late):
            pass
