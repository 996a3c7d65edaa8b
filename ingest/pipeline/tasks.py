"""Short steps of a job that must not be left half done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")


async def gather_both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Run two steps at once and wait for both, also when one fails."""
    left, right = await asyncio.gather(first, second, return_exceptions=True)
    for outcome in (left, right):
        if isinstance(outcome, BaseException):
            raise outcome
    return left, right  # neither is an exception


async def run_to_completion(step: Coroutine[Any, Any, T]) -> T:
    """Let a short step finish even when we are cancelled in the middle of it."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
