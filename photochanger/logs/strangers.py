"""How often the log tells what anybody can cause: no flood may bury the rest, or fill the disk.

Of each ten seconds some lines of an address, and more of all together; the next line says how many
were left out.
"""

import time
from collections import Counter
from collections.abc import Callable

WINDOW_S = 10
PER_ADDRESS, PER_WINDOW = 20, 100


class StrangerLines:
    """Which log lines of one kind are written: so many of an address, so many of all."""

    def __init__(self, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self._get_time = get_time
        self.forget()

    def forget(self) -> None:
        self._window, self._counts, self._omitted = 0, Counter[str](), 0

    def admit(self, address: str) -> int | None:
        """How many lines were left out before this one; None: leave this one out as well."""
        window = int(self._get_time() / WINDOW_S)
        if window != self._window:
            self._window, self._counts = window, Counter()
        if self._counts[address] >= PER_ADDRESS or self._counts.total() >= PER_WINDOW:
            self._omitted += 1
            return None
        self._counts[address] += 1
        omitted, self._omitted = self._omitted, 0
        return omitted


refusal_lines = StrangerLines()
