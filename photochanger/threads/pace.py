"""How fast the same may be asked for again: some at once, and then so many a second."""

from collections import OrderedDict

MAX_WAIT_S = 10.0  # less than a booth, a browser or a front server waits
MAX_KEYS = 10_000


class Pace:
    """When the next answer to a key is due: ``burst`` at once, then ``per_second``."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._due_at: OrderedDict[str, float] = OrderedDict()  # of the last one; the newest last

    def take(self, key: str, now: float) -> float:
        """Seconds until the next one may be answered, at most ``MAX_WAIT_S``."""
        first_at = now - self._burst / self._per_second
        due_at = max(self._due_at.pop(key, 0.0), first_at) + 1 / self._per_second
        self._due_at[key] = due_at = min(due_at, now + MAX_WAIT_S)
        while len(self._due_at) > MAX_KEYS:
            self._due_at.popitem(last=False)
        return max(0.0, round(due_at - now, 3))
