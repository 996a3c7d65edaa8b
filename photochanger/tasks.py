"""Steps beside the event loop: short ones that must not be left half done, and those that decode,
few at once: many photos wait in line and not in memory."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import structlog

from photochanger.threads.fair_lanes import FairLanes
from photochanger.threads.priority import lower_priority

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

MAX_DECODES = 2  # at once in one process: up to 0.5 s of a core and 100 MB each
DEAR = "dear"  # the line of photos that take a core for long
# Theirs: ordinary photos, guests and the event loop come first where processors are short.
_dear_thread = ThreadPoolExecutor(1, thread_name_prefix="dear", initializer=lower_priority)


@dataclass(frozen=True, slots=True)
class Decoding:
    """What one event loop shares among those who decode."""

    lanes: FairLanes = field(default_factory=lambda: FairLanes(MAX_DECODES))
    dear: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_DECODES - 1))


_decodings: "WeakKeyDictionary[asyncio.AbstractEventLoop, Decoding]" = WeakKeyDictionary()


async def run_to_completion(step: Coroutine[Any, Any, T]) -> T:
    """Let a short step finish even when we are cancelled in the middle of it.

    What it raises then reaches nobody any more, and goes to the log by its name.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and (failure := task.exception()):
            log.info("task.failed_after_cancel", detail=type(failure).__name__)
        raise


async def run_in_worker(line: str, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one step that decodes or encodes in a thread; who waits for its turn holds none.

    ``line``: a slot's id, or another name of those who wait behind each other, as ``FairLanes``
    has it; of the line DEAR one less is let in than there are lanes, so that ordinary photos
    never wait for dear ones to end.

    Whoever gives up meanwhile waits for the thread all the same: it reads that photo's file, and
    more threads than these would take more memory than there is.
    """
    decoding = _decodings.setdefault(asyncio.get_running_loop(), Decoding())
    async with decoding.dear if line == DEAR else nullcontext(), decoding.lanes.take(line):
        if line == DEAR:
            work = partial(copy_context().run, step, *args, **kwargs)
            return await run_to_completion(_run_dear(work))
        return await run_to_completion(asyncio.to_thread(step, *args, **kwargs))


async def _run_dear(work: Callable[[], R]) -> R:
    return await asyncio.get_running_loop().run_in_executor(_dear_thread, work)
