"""How often the log tells what anybody can cause: no flood may bury the rest, or fill the disk.

Of each second a few lines of an address, and some of all together; the next line says how many were
left out.
"""

import time
from collections import Counter
from collections.abc import Callable

PER_ADDRESS, PER_SECOND = 5, 20


class StrangerLines:
    """Lines of one kind."""

    def __init__(self, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self._get_time = get_time
        self._second, self._said = 0, Counter[str]()
        self._unsaid = 0

    def admit(self, address: str) -> int | None:
        """How many lines were left out before this one; None: leave this one out as well."""
        second = int(self._get_time())
        if second != self._second:
            self._second, self._said = second, Counter()
        if self._said[address] >= PER_ADDRESS or self._said.total() >= PER_SECOND:
            self._unsaid += 1
            return None
        self._said[address] += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid
