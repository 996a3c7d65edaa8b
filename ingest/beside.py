"""Work that begins once the booth has its picture, and that nobody waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext
from django.db import connection

from photochanger.db import in_db

DRAIN_S = 5.0
_recorder = ThreadPoolExecutor(1, thread_name_prefix="beside-rows")
_running: set["asyncio.Task[None]"] = set()


def run_beside(work: Callable[[], Awaitable[None]]) -> None:
    """Begin it; nobody waits for it but a server that stops. ``work`` never raises."""
    task = asyncio.get_running_loop().create_task(_run(work))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    """On a thread of our own for the database: the request's lane is another's by now."""
    async with ThreadSensitiveContext(executor=_recorder):
        await work()
        await in_db(_disconnect)


def _disconnect() -> None:
    connection.close()  # few at a time: not worth a connection that is kept for them


async def drain() -> None:
    """Wait for what is going on, but not for long: it costs only figures, or a tap."""
    if _running:
        await asyncio.wait(_running, timeout=DRAIN_S)
