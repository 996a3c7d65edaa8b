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
    """Lines of one kind."""

    def __init__(self, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self._get_time = get_time
        self.forget()

    def forget(self) -> None:
        self._window, self._said, self._unsaid = 0, Counter[str](), 0

    def admit(self, address: str) -> int | None:
        """How many lines were left out before this one; None: leave this one out as well."""
        window = int(self._get_time() / WINDOW_S)
        if window != self._window:
            self._window, self._said = window, Counter()
        if self._said[address] >= PER_ADDRESS or self._said.total() >= PER_WINDOW:
            self._unsaid += 1
            return None
        self._said[address] += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid


refusal_lines = StrangerLines()
