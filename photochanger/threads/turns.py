"""Take turns within one process: so many at once for each key, and nobody waits without an end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary, WeakValueDictionary

from photochanger.threads.time_limit import get_request_left_s

Turns = WeakValueDictionary[str, asyncio.Semaphore]  # while somebody holds one or waits
_turns: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()


@asynccontextmanager
async def take_turn(
    key: str, *, at_once: int, make_error: Callable[[str], Exception]
) -> AsyncIterator[None]:
    """Hold one of ``at_once`` places of a key.

    Raises ``make_error`` when none is free before the request's end.
    """
    turns = _turns.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    semaphore = turns.setdefault(key, asyncio.Semaphore(at_once))
    try:
        async with asyncio.timeout(get_request_left_s()):
            await semaphore.acquire()
    except TimeoutError as exc:
        raise make_error(f"{key}: those before it have not ended in time") from exc
    try:
        yield
    finally:
        semaphore.release()
