"""The only way from async code to the database."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection

RETRY_EVERY_S = 0.2

P = ParamSpec("P")
R = TypeVar("R")


async def in_db(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one synchronous ORM function off the event loop, on this request's lane.

    The connection is free again when ``step`` returns, so ``step`` must hand back values or
    fully loaded rows: a lazy query would run on the event loop.
    """
    return await sync_to_async(step)(*args, **kwargs)


async def in_db_with_retry(
    step: Callable[P, R], timeout_s: float, *args: P.args, **kwargs: P.kwargs
) -> R:
    """``in_db``, retried for ``timeout_s`` seconds, to survive a restart of the database.

    Only for a step that may run twice. Raises what the last attempt raised.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + timeout_s
    while True:
        try:
            return await in_db(step, *args, **kwargs)
        except (OperationalError, InterfaceError):
            # It was checked when the request began, but that was before a long wait.
            await in_db(_drop_lost_connection)
            if loop.time() >= give_up_at:
                raise
        await asyncio.sleep(RETRY_EVERY_S)


def _drop_lost_connection() -> None:
    if not connection.in_atomic_block:  # as it is in tests that roll back
        connection.close_if_unusable_or_obsolete()
