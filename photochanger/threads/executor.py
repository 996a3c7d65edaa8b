"""Threads for blocking steps that may hang: the caller goes on in time, others get a fresh thread.

A thread that hangs in a system call cannot be ended. It is left behind, and ends by itself when the
call returns; how many may be left behind is bounded, and beyond that every step is refused at once.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import structlog

from photochanger.threads.time_limit import choose_end, run_step_until

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")

LOOK_EVERY_S = 0.1


@dataclass(slots=True, eq=False)
class Step:
    run: Callable[[], Any]
    ends_at: float  # time.monotonic()
    future: "Future[Any]" = field(default_factory=Future)
    started_at: float | None = None
    is_over: bool = False  # answered: by its thread, or because its time was up


@dataclass(slots=True, eq=False)
class Worker:
    step: Step | None = None
    is_left_behind: bool = False


def do_nothing() -> None:
    """What most threads leave behind."""


class LimitedExecutor(Executor):
    """Runs steps in turn on ``threads`` threads, each no longer than ``limit_s`` and its request.

    After ``patience_s`` a thread is replaced, so that others need not wait for its step, which goes
    on; ``spares`` is how many may be busy so beside the regular ones. Steps are submitted by one
    event loop at a time.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int = 1,
        spares: int = 2,
        limit_s: float,
        patience_s: float | None = None,
        make_error: Callable[[str], Exception],
        clean_up: Callable[[], None] = do_nothing,
    ) -> None:
        """``make_error``: what a caller gets whose time is up. ``clean_up`` runs in a thread that
        ends."""
        self.name, self._size, self._spares = name, threads, spares
        self._limit_s, self._patience_s = limit_s, patience_s or limit_s
        self._make_error, self._clean_up = make_error, clean_up
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Step | None] = SimpleQueue()
        self._steps: set[Step] = set()  # waiting or running
        self._workers: set[Worker] = set()
        self._looking: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether no thread is left that could take a step."""
        return self._count_left_behind() > self._spares

    async def run(self, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """One step off the event loop, in its caller's context."""
        run = partial(contextvars.copy_context().run, partial(step, *args, **kwargs))
        return await asyncio.get_running_loop().run_in_executor(self, run)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        step = Step(partial(fn, *args, **kwargs), choose_end(self._limit_s))
        with self._lock:
            if self.is_stuck:
                step.future.set_exception(self._make_error(f"all threads of {self.name} hang"))
                return step.future
            self._steps.add(step)
            self._fill_up()
        self._queue.put(step)
        self._look_soon()
        return step.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Threads end when they are idle; nobody waits for them."""
        for _ in range(len(self._workers)):
            self._queue.put(None)

    def _count_left_behind(self) -> int:
        return sum(worker.is_left_behind for worker in list(self._workers))

    def _fill_up(self) -> None:
        """Start what is missing of the regular threads. The lock is held."""
        left_behind = self._count_left_behind()
        while left_behind <= self._spares and len(self._workers) - left_behind < self._size:
            worker = Worker()
            thread = threading.Thread(target=self._work, args=[worker], name=self.name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has none left: ``_poll`` tries again, soon
                log.error("threads.start.failed", threads=self.name)
                return
            self._workers.add(worker)

    def _work(self, worker: Worker) -> None:
        try:
            while (step := self._queue.get()) is not None:
                if self._start(step, worker):
                    self._run(step)
                    if not self._is_still_needed(step, worker):
                        return
        finally:
            with self._lock:
                self._workers.discard(worker)
            self._clean_up()

    def _start(self, step: Step, worker: Worker) -> bool:
        with self._lock:
            if step.is_over or not step.future.set_running_or_notify_cancel():
                self._steps.discard(step)
                return False
            step.started_at, worker.step = time.monotonic(), step
        return True

    def _run(self, step: Step) -> None:
        result, failure = None, None
        try:
            with run_step_until(step.ends_at):
                result = step.run()
        except BaseException as exc:
            failure = exc
        self._answer(step, result, failure)

    def _answer(self, step: Step, result: Any, failure: BaseException | None) -> None:
        """Whoever is first, the step's thread or the clock, answers its caller."""
        with self._lock:
            self._steps.discard(step)
            if step.is_over:
                return
            step.is_over = True
            if step.started_at is None:
                step.run = do_nothing  # it stays in the queue, and its arguments may be large
        with suppress(InvalidStateError):  # nobody waits any more
            if failure is None:
                step.future.set_result(result)
            else:
                step.future.set_exception(failure)

    def _is_still_needed(self, step: Step, worker: Worker) -> bool:
        """A thread that was left behind goes on where another one has ended or hangs meanwhile."""
        step.run = do_nothing  # its arguments may be large
        with self._lock:
            worker.step = None
            if not worker.is_left_behind:
                return True
            regular = len(self._workers) - self._count_left_behind()
            worker.is_left_behind = regular >= self._size
            log.warning("threads.step.returned", threads=self.name)
            return not worker.is_left_behind

    def _look_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._looking is None or self._looking[0] is not loop:
            self._looking = (loop, loop.call_later(LOOK_EVERY_S, self._poll))

    def _poll(self) -> None:
        """Now and then, while there are steps: which have no time left, which threads hang?"""
        self._looking = None
        now = time.monotonic()
        with self._lock:
            late = [step for step in self._steps if step.ends_at <= now - LOOK_EVERY_S]
            for worker in self._workers:
                began = worker.step.started_at if worker.step else None
                is_slow = began is not None and now - began > self._patience_s
                is_late = worker.step is not None and worker.step in late
                if (is_slow or is_late) and not worker.is_left_behind:
                    worker.is_left_behind = True
                    log.warning("threads.step.hangs", threads=self.name)
            self._fill_up()
        for step in late:
            self._answer(step, None, self._make_error(f"no answer in time on {self.name}"))
        if self._steps:
            self._look_soon()
