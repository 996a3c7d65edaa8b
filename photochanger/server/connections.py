"""What all connections of a process may hold together before a request of theirs is complete."""

import time
from collections import OrderedDict
from typing import Protocol

import structlog

from photochanger.server import limits

log = structlog.get_logger()

LOG_PAUSE_S = 1.0


class Waiting(Protocol):
    """A connection on which the server waits for a head."""

    held_bytes: int

    def give_up(self, why: str) -> None: ...


class WaitingConnections:
    """The connections without a complete head, the oldest first.

    When there are too many, or they hold too much together, the oldest make room: a booth sends its
    head at once, and whoever keeps connections idle loses them.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: Waiting) -> None:
        self._waiting[connection] = None

    def discard(self, connection: Waiting) -> None:
        if connection in self._waiting:
            del self._waiting[connection]
            self._held_bytes -= connection.held_bytes
            connection.held_bytes = 0

    def hold(self, connection: Waiting, size_bytes: int) -> None:
        """Count what a waiting connection has sent of its head."""
        if connection in self._waiting:
            connection.held_bytes += size_bytes
            self._held_bytes += size_bytes
            while self._held_bytes > self.max_bytes and self.evict():
                pass

    def evict(self) -> bool:
        """Give the oldest one up; False when none waits."""
        if not self._waiting:
            return False
        oldest = next(iter(self._waiting))
        self.discard(oldest)
        oldest.give_up("made room for others")
        return True


waiting = WaitingConnections(max_bytes=limits.WAITING_BYTES)


class RefusalLog:
    """Says in the log what the edge cut off, at most once a second: a flood must not flood it."""

    def __init__(self) -> None:
        self._next, self._omitted = 0.0, 0

    def warn(self, why: str, address: str) -> None:
        now = time.monotonic()
        if now < self._next:
            self._omitted += 1
            return
        log.warning("server.connection.refused", reason=why, address=address, omitted=self._omitted)
        self._next, self._omitted = now + LOG_PAUSE_S, 0
