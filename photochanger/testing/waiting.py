"""Waiting for what a test expects, on machines of any speed: for a condition, never for a time."""

import asyncio
import time
from collections.abc import Callable

# Far more than anything takes on an idle machine; only a test that fails waits so long.
PATIENCE_S = 90.0


def wait_until(
    is_so: Callable[[], bool], *, within_s: float = PATIENCE_S, every_s: float = 0.02
) -> None:
    """Raises AssertionError when it is not so in time."""
    give_up = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > give_up:
            raise AssertionError(f"not so after {within_s:.0f} s")
        time.sleep(every_s)


async def wait_until_async(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """The same, while the event loop goes on."""
    give_up = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > give_up:
            raise AssertionError(f"not so after {within_s:.0f} s")
        await asyncio.sleep(0.01)
