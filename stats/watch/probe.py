"""What may hang (a disk, a service) is asked in a thread, so that the watch itself never does."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()

R = TypeVar("R")


class Probe(Generic[R]):
    """Runs ``ask`` every ``every_s`` seconds, at most once at a time."""

    def __init__(self, ask: Callable[[], R], *, every_s: float) -> None:
        self._ask, self.every_s = ask, every_s
        self._started_at: float | None = None  # time.monotonic(), of the run that goes on
        self._ended_at = -every_s
        self._fresh: list[R] = []

    def start_if_due(self) -> None:
        if self._started_at is None and time.monotonic() - self._ended_at >= self.every_s:
            self._started_at = time.monotonic()
            threading.Thread(target=self._run, daemon=True).start()

    def hangs_for_s(self) -> float:
        begun = self._started_at  # the thread may end at any moment
        return 0.0 if begun is None else time.monotonic() - begun

    def take(self) -> R | None:
        """The result of a run that has ended since the last call."""
        return self._fresh.pop() if self._fresh else None

    def hurry(self, within_s: float) -> None:
        """Run again so soon, instead of in ``every_s`` seconds."""
        self._ended_at = min(self._ended_at, time.monotonic() - self.every_s + within_s)

    def _run(self) -> None:
        try:
            self._fresh = [self._ask()]
        except Exception:  # a bug in one probe must not stop the others; nobody awaits this thread
            log.exception("stats.watch.probe_crashed")
        finally:
            self._ended_at, self._started_at = time.monotonic(), None
