"""Lanes that are shared fairly: whoever sends a crowd of photos keeps nobody else waiting."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairLanes:
    """So many at once. Those who wait stand in lines by their key, and the lines take turns.

    For one event loop. Nobody leaves a lane idle while somebody waits, whatever the line.
    """

    def __init__(self, lanes: int) -> None:
        self._free = lanes  # more than none: nobody waits
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}  # the next one first

    @asynccontextmanager
    async def take(self, line: str) -> AsyncIterator[None]:
        await self._wait(line)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, line: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(line, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had come at the very moment of giving up
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._lines:
            line = next(iter(self._lines))
            waiting = self._lines.pop(line)
            turn = waiting.popleft()
            if waiting:
                self._lines[line] = waiting  # behind the others
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1
