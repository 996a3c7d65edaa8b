"""Steps beside the event loop: short ones that must not be left half done, and those that decode,
few at once: many photos wait in line and not in memory."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import structlog

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

MAX_DECODES = 2  # at once in one process: up to 0.5 s of a core and 100 MB each
_limits: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = WeakKeyDictionary()


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


async def run_in_worker(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one step that decodes or encodes in a thread; who waits for its turn holds none.

    Whoever gives up meanwhile waits for the thread all the same: it reads that photo's file, and
    more threads than these would take more memory than there is.
    """
    loop = asyncio.get_running_loop()
    async with _limits.setdefault(loop, asyncio.Semaphore(MAX_DECODES)):
        return await run_to_completion(asyncio.to_thread(step, *args, **kwargs))
