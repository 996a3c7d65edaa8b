"""So many bytes of pixels at one time in this process, while ``decoding`` makes them: of photos,
results, templates and previews.

A finished picture counts no more: whoever holds it lets it go soon. The look for faces decodes
beside it, one photo at a time on a thread of low priority, for which no photo is to wait.

A thread waits for the share that its picture needs; the first to come is the first to get it, so
small ones never keep a large one out for ever. What needs more than there is gets all of it, alone.
Ordinary pictures have a budget of their own: behind one huge photo of somebody else's, the result
of every good one waited for 0.3 s.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

MB = 1024 * 1024
# A service's picture of 4 megapixels takes 28 MB, as a PNG 40; a camera's photo at half its sides
# 42.
ORDINARY_BYTES, ORDINARY_BUDGET_BYTES, LARGE_BUDGET_BYTES = 48 * MB, 96 * MB, 192 * MB
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


class PixelBudgets:
    """One for ordinary pictures and one for large ones, who so wait for their like only."""

    def __init__(self, ordinary: PixelBudget, large: PixelBudget) -> None:
        self.ordinary, self.large = ordinary, large

    def spend(self, needed_bytes: int) -> AbstractContextManager[None]:
        """Blocking, like ``PixelBudget.spend``."""
        budget = self.ordinary if needed_bytes <= ORDINARY_BYTES else self.large
        return budget.spend(needed_bytes)


pixel_budget = PixelBudgets(PixelBudget(ORDINARY_BUDGET_BYTES), PixelBudget(LARGE_BUDGET_BYTES))
