"""How many requests are in work at one time: many that are complete in one instant take turns.

3,500 heads whose last byte was sent together kept the event loop from everybody else for 5 s, and
took 190 MB: each had its task, its thread's turn and its page at once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

MAX_IN_WORK, PER_ITERATION = 64, 4
# Whoever has not begun its answer by then goes on beside the others: a body that comes slowly, an
# archive of many pictures. So nobody can keep all places.
PLACE_S = 1.0

Leave = Callable[[], None]


class Entrant(Protocol):
    """A connection whose request waits for its turn."""

    def turn_away(self) -> None: ...


class Gate:
    """Lets ``most`` requests in, a few in each iteration of the event loop, address by address."""

    def __init__(self, most: int = MAX_IN_WORK) -> None:
        self._free = most
        self._lines: OrderedDict[str, OrderedDict[Entrant, Callable[[Leave], None]]] = OrderedDict()
        self._addresses: dict[Entrant, str] = {}
        self._is_scheduled = False

    def __len__(self) -> int:
        return len(self._addresses)

    def queue(self, entrant: Entrant, address: str, start: Callable[[Leave], None]) -> None:
        """Call ``start`` in its turn, with what it must call when it leaves its place."""
        self._addresses[entrant] = address
        self._lines.setdefault(address, OrderedDict())[entrant] = start
        self._schedule()

    def discard(self, entrant: Entrant) -> None:
        if (address := self._addresses.pop(entrant, None)) is not None:
            line = self._lines[address]
            del line[entrant]
            if not line:
                del self._lines[address]

    def evict(self) -> bool:
        """Turn the newest of the longest line away; False when none waits."""
        if not self._lines:
            return False
        longest = max(self._lines.values(), key=len)
        newest = next(reversed(longest))
        self.discard(newest)
        newest.turn_away()
        return True

    def _schedule(self) -> None:
        if self._lines and self._free and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        self._is_scheduled = False
        for _ in range(min(PER_ITERATION, self._free, len(self))):
            address, line = next(iter(self._lines.items()))
            entrant, start = next(iter(line.items()))
            self._lines.move_to_end(address)
            self.discard(entrant)
            start(self._take_place())
        self._schedule()

    def _take_place(self) -> Leave:
        """Returns what frees it, at most once."""
        self._free -= 1
        taken = [asyncio.get_running_loop().call_later(PLACE_S, lambda: leave())]

        def leave() -> None:
            if taken:
                taken.pop().cancel()
                self._free += 1
                self._schedule()

        return leave
