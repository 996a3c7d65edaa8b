"""So many bytes of pixels at one time in this process, while ``decoding`` makes them: of photos,
results, templates and previews.

A finished picture counts no more: whoever holds it lets it go soon. The look for faces decodes
beside it, one photo at a time on a thread of low priority, for which no photo is to wait.

A thread waits for the share that its picture needs; the first to come is the first to get it, so
small ones never keep a large one out for ever. What needs more than there is gets all of it, alone.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

BUDGET_BYTES = 256 * 1024 * 1024
SMALL_BYTES = 1024 * 1024  # what costs less waits for nobody


class PixelBudget:
    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = self.free_bytes = total_bytes
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def spend(self, needed_bytes: int) -> Iterator[None]:
        """Hold a share while pixels are decoded. Blocking: decoders always come to an end."""
        share = min(needed_bytes, self.total_bytes)
        if share < SMALL_BYTES:
            yield
            return
        self._take(share)
        try:
            yield
        finally:
            with self._changed:
                self.free_bytes += share
                self._changed.notify_all()

    def _take(self, share: int) -> None:
        me = object()
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(lambda: self._waiting[0] is me and share <= self.free_bytes)
            self._waiting.popleft()
            self.free_bytes -= share
            self._changed.notify_all()  # the next one may fit beside this one


pixel_budget = PixelBudget(BUDGET_BYTES)
