"""What all bodies that are arriving at this process may hold together, in memory and on disk."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from photochanger.errors import AppError, RateLimited
from photochanger.request_errors import ServerBusy, UploadStalled

MB = 1024 * 1024
# A hall of booths behind one address sends all its photos within these.
TOTAL_BYTES, ADDRESS_BYTES = 1024 * MB, 512 * MB
RETRY_AFTER_S = 3.0
WINDOW_S = 2.0  # of waiting for a sender: its pace is that of the last one or two
# A sender that has not brought so much within so long pauses: a byte now and then is a pause, too.
PAUSE_S, PROGRESS_BYTES, MAX_PAUSING = 1.0, 1024, 64
# A photo is parsed in batches; unfinished batches are memory, so many senders get small ones.
BATCHES_BYTES, MAX_BATCH_BYTES, MIN_BATCH_BYTES = 8 * MB, 256 * 1024, 8 * 1024


@dataclass(eq=False)
class Sender:
    """One body while it arrives: how much came, how fast, and a way to break it off."""

    address: str
    taken_bytes: int = 0
    cut_off: AppError | None = None  # why, once it was
    timeout: asyncio.Timeout | None = None  # while it is waited for, since then:
    since: float = 0.0
    paused_s: float = 0.0  # waited for it, and these bytes came
    paused_bytes: int = 0
    # Seconds of waiting for it, and bytes: in this window, and in the one before.
    window: tuple[float, int] = (0.0, 0)
    window_before: tuple[float, int] = (0.0, 0)

    def measure_pace(self, now: float) -> float:
        """Bytes a second; the time in which we did not ask for them is not counted."""
        waited_s, size_bytes = self.window
        waited_s += now - self.since if self.timeout else 0.0
        before_s, before_bytes = self.window_before if waited_s < WINDOW_S else (0.0, 0)
        return (before_bytes + size_bytes) / max(before_s + waited_s, 0.001)

    def cut(self, error: AppError, now: float) -> None:
        self.cut_off = error
        if self.timeout is not None:
            self.timeout.reschedule(now)


class Reception:
    """Counts the bytes of incomplete bodies, for the process and for each address.

    Where there is no room for more, the slowest body of whoever holds most is broken off: a photo
    that comes at an ordinary pace is never refused for those that do not.
    """

    def __init__(self) -> None:
        self._senders: dict[Sender, None] = {}
        self._total_bytes = 0
        self._by_address: Counter[str] = Counter()
        self._pausing: OrderedDict[Sender, None] = OrderedDict()

    def begin(self, sender: Sender) -> None:
        self._senders[sender] = None

    @contextmanager
    def watch(self, sender: Sender, timeout: asyncio.Timeout) -> Iterator[None]:
        """While a sender is waited for: in a crowd of those that pause, the oldest go first."""
        loop = asyncio.get_running_loop()
        sender.timeout, sender.since = timeout, loop.time()
        pause = loop.call_later(max(0.0, PAUSE_S - sender.paused_s), self._note_pause, sender)
        try:
            yield
        finally:
            pause.cancel()
            waited_s, sender.timeout = loop.time() - sender.since, None
            sender.paused_s += waited_s
            sender.window = (sender.window[0] + waited_s, sender.window[1])
            if sender.window[0] > WINDOW_S:
                sender.window_before, sender.window = sender.window, (0.0, 0)

    def _note_pause(self, sender: Sender) -> None:
        if sender not in self._senders:
            return
        self._pausing[sender] = None
        if len(self._pausing) > MAX_PAUSING:
            self._cut(
                next(iter(self._pausing)),
                UploadStalled("the sender stalled in the middle of its body"),
            )

    def take(self, sender: Sender, size_bytes: int) -> None:
        """Count what came, and make room for it. Raises RateLimited when this sender makes it."""
        if sender not in self._senders:
            return
        sender.taken_bytes += size_bytes
        sender.window = (sender.window[0], sender.window[1] + size_bytes)
        sender.paused_bytes += size_bytes
        if sender.paused_bytes >= PROGRESS_BYTES:
            sender.paused_s, sender.paused_bytes = 0.0, 0
            self._pausing.pop(sender, None)
        self._total_bytes += size_bytes
        self._by_address[sender.address] += size_bytes
        while self._by_address[sender.address] > ADDRESS_BYTES:
            self._make_room(
                sender.address,
                RateLimited("too much arrives from one address", retry_after_s=RETRY_AFTER_S),
            )
        while self._total_bytes > TOTAL_BYTES:
            (address, _bytes), *_ = self._by_address.most_common(1)
            self._make_room(
                address, ServerBusy("too much arrives at once", retry_after_s=RETRY_AFTER_S)
            )
        if sender.cut_off is not None:
            raise sender.cut_off

    def _make_room(self, address: str, error: AppError) -> None:
        now = asyncio.get_running_loop().time()
        own = [each for each in self._senders if each.address == address and each.taken_bytes]
        self._cut(min(own, key=lambda sender: sender.measure_pace(now)), error)

    def _cut(self, sender: Sender, error: AppError) -> None:
        self.end(sender)
        sender.cut(error, asyncio.get_running_loop().time())

    def end(self, sender: Sender) -> None:
        """It is complete, given up or broken off; more than once is harmless."""
        self._pausing.pop(sender, None)
        if sender not in self._senders:
            return
        del self._senders[sender]
        self._total_bytes -= sender.taken_bytes
        self._by_address[sender.address] -= sender.taken_bytes
        if self._by_address[sender.address] <= 0:
            del self._by_address[sender.address]

    @property
    def batch_bytes(self) -> int:
        share = BATCHES_BYTES // max(len(self._senders), 1)
        return min(MAX_BATCH_BYTES, max(MIN_BATCH_BYTES, share))


reception = Reception()
