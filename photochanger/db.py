"""The one door from async code to the database."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async

P = ParamSpec("P")
R = TypeVar("R")


async def in_db(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one synchronous ORM function off the event loop, on this request's lane.

    The connection is free again when ``step`` returns, so ``step`` must hand back values or
    fully loaded rows: a lazy query would run on the event loop.
    """
    return await sync_to_async(step)(*args, **kwargs)
