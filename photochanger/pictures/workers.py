"""Threads that decode: few, so that many photos at once wait in line and not in memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MAX_DECODES = 2  # at once in one process: up to 0.5 s of a core and 100 MB each
_workers = ThreadPoolExecutor(MAX_DECODES, thread_name_prefix="picture")


async def run_in_worker(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one step that decodes or encodes, off the event loop."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_workers, lambda: step(*args, **kwargs))


def run_in_worker_and_wait(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for code that blocks anyway; never from within such a step."""
    return _workers.submit(step, *args, **kwargs).result()
