"""Threads for work with the database: each has a connection of its own."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.db import OperationalError, connection, connections

from photochanger.db import in_db
from photochanger.db.limits import is_process_limited
from photochanger.threads.executor import LimitedExecutor

P = ParamSpec("P")
R = TypeVar("R")

APART_LIMIT_S, APART_PATIENCE_S = 5.0, 1.0


def make_database_threads(
    name: str, *, limit_s: float, patience_s: float | None = None
) -> LimitedExecutor:
    """One thread at a time. A step whose time is up fails as any other on a sick database."""
    return LimitedExecutor(
        name,
        limit_s=limit_s,
        patience_s=patience_s,
        make_error=OperationalError,
        clean_up=connections.close_all,
    )


_apart = make_database_threads("apart", limit_s=APART_LIMIT_S, patience_s=APART_PATIENCE_S)


async def in_db_apart(step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """``in_db``, on a thread that no request's other steps need: for what monitors ask.

    Anywhere but in a server it is the caller's own.
    """
    if not is_process_limited():
        return await in_db(step, *args, **kwargs)
    async with ThreadSensitiveContext(executor=_apart):
        return await in_db(_and_check_connection(partial(step, *args, **kwargs)))


def _and_check_connection(step: Callable[[], R]) -> Callable[[], R]:
    """No request begins here, which would look after the connection."""

    def run() -> R:
        try:
            return step()
        finally:
            connection.close_if_unusable_or_obsolete()

    return run
