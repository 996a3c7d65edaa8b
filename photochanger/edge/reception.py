"""What all bodies that are arriving at this process may hold together, in memory and on disk."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from photochanger.errors import RateLimited
from photochanger.request_errors import ServerBusy

MB = 1024 * 1024
# A hall of booths behind one address sends all its photos within these.
TOTAL_BYTES, ADDRESS_BYTES = 1024 * MB, 512 * MB
RETRY_AFTER_S = 3.0
PAUSE_S, MAX_PAUSING = 1.0, 64  # senders that have been silent for so long
# A photo is parsed in batches; unfinished batches are memory, so many senders get small ones.
BATCHES_BYTES, MAX_BATCH_BYTES, MIN_BATCH_BYTES = 8 * MB, 256 * 1024, 8 * 1024


class Reception:
    """Counts the bytes of incomplete bodies, for the process and for each address."""

    def __init__(self) -> None:
        self.senders = 0
        self._total_bytes = 0
        self._by_address: Counter[str] = Counter()
        self._pausing: OrderedDict[asyncio.Timeout, None] = OrderedDict()

    @contextmanager
    def watch(self, timeout: asyncio.Timeout) -> Iterator[None]:
        """While a sender is waited for: in a crowd of those that pause, the oldest go first."""
        loop = asyncio.get_running_loop()
        pause = loop.call_later(PAUSE_S, self._note_pause, loop, timeout)
        try:
            yield
        finally:
            pause.cancel()
            self._pausing.pop(timeout, None)

    def _note_pause(self, loop: asyncio.AbstractEventLoop, timeout: asyncio.Timeout) -> None:
        self._pausing[timeout] = None
        if len(self._pausing) > MAX_PAUSING:
            oldest, _ = self._pausing.popitem(last=False)
            oldest.reschedule(loop.time())

    def begin(self) -> None:
        self.senders += 1

    def take(self, address: str, size_bytes: int) -> None:
        """Raises RateLimited when more is arriving than there is room for."""
        self._total_bytes += size_bytes
        self._by_address[address] += size_bytes
        if self._by_address[address] > ADDRESS_BYTES:
            raise RateLimited("too much arrives from one address", retry_after_s=RETRY_AFTER_S)
        if self._total_bytes > TOTAL_BYTES:
            raise ServerBusy("too much arrives at once", retry_after_s=RETRY_AFTER_S)

    def end(self, address: str, size_bytes: int) -> None:
        self.senders -= 1
        self._total_bytes -= size_bytes
        self._by_address[address] -= size_bytes
        if self._by_address[address] <= 0:
            del self._by_address[address]

    @property
    def batch_bytes(self) -> int:
        share = BATCHES_BYTES // max(self.senders, 1)
        return min(MAX_BATCH_BYTES, max(MIN_BATCH_BYTES, share))


reception = Reception()
