"""How long blocking work may take: the request's own end, and that of the step in this thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Of the request that this task serves, in the monotonic time that event loops count in.
_request_ends_at: ContextVar[float | None] = ContextVar("request_ends_at", default=None)


class _Step(threading.local):
    ends_at: float | None = None


_step = _Step()


@contextmanager
def limit_waits(ends_at: float) -> Iterator[None]:
    """Every blocking step begun in this block ends by then, as far as its caller is concerned.

    An inner block replaces the limit of the outer one: closing a row has time of its own.
    """
    token = _request_ends_at.set(ends_at)
    try:
        yield
    finally:
        _request_ends_at.reset(token)


@contextmanager
def limit_waits_for(seconds: float) -> Iterator[None]:
    """``limit_waits`` from now on."""
    with limit_waits(time.monotonic() + seconds):
        yield


def choose_end(limit_s: float) -> float:
    """When a step that begins now must be over: after ``limit_s``, or when its request ends."""
    ends_at, at_most = _request_ends_at.get(), time.monotonic() + limit_s
    return at_most if ends_at is None else min(ends_at, at_most)


def get_request_left_s() -> float | None:
    """None when nothing limits what this task waits for."""
    ends_at = _request_ends_at.get()
    return None if ends_at is None else ends_at - time.monotonic()


@contextmanager
def run_step_until(ends_at: float) -> Iterator[None]:
    """Called in a step's own thread, around it."""
    _step.ends_at = ends_at
    try:
        yield
    finally:
        _step.ends_at = None


@contextmanager
def shorten_step(limit_s: float) -> Iterator[None]:
    """Within this block the step of this thread waits no longer than ``limit_s``."""
    ends_at, at_most = _step.ends_at, time.monotonic() + limit_s
    _step.ends_at = at_most if ends_at is None else min(ends_at, at_most)
    try:
        yield
    finally:
        _step.ends_at = ends_at


def get_step_left_s() -> float | None:
    """What is left for the step of this thread, at least 0; None when nothing limits it."""
    return None if _step.ends_at is None else max(0.0, _step.ends_at - time.monotonic())
