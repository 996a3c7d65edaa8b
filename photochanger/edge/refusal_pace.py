"""Refusals in a row are answered slowly to one address: whoever guesses waits, and costs little.

A refused request costs the server 6-8 ms of CPU, and a stranger sends the next one as soon as the
last is answered: 130 a second kept a good photo waiting ten times as long as else. The answer waits
by a timer, when the work is done and the body's file is closed. Nothing but refusals waits: a right
password from the same address is answered at once.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.parsing import group_address

# A hall of booths after a changed password is far below this, a guest who mistypes too.
BURST, PER_SECOND = 20, 10.0
MAX_WAIT_S = 10.0  # less than a booth, a browser or a front server waits
MAX_ADDRESSES = 10_000


class RefusalTurns:
    """When the next refusal of an address is due: ``BURST`` at once, then so many a second."""

    def __init__(self) -> None:
        self._due_at: OrderedDict[str, float] = OrderedDict()  # of the last one; the newest last

    def take(self, address: str, now: float) -> float:
        """Seconds until the next one may be answered."""
        due_at = max(self._due_at.pop(address, 0.0), now - BURST / PER_SECOND) + 1 / PER_SECOND
        self._due_at[address] = due_at = min(due_at, now + MAX_WAIT_S)
        while len(self._due_at) > MAX_ADDRESSES:
            self._due_at.popitem(last=False)
        return max(0.0, round(due_at - now, 3))


class RefusalPace:
    """Holds back the answers 400 to 499 of an address that has had too many of them."""

    def __init__(self, app: App, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self.app, self._get_time, self._turns = app, get_time, RefusalTurns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_in_turn(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                await self._wait(group_address((scope.get("client") or ("",))[0]))
            await send(message)

        return await self.app(scope, receive, send_in_turn)

    async def _wait(self, address: str) -> None:
        if wait_s := self._turns.take(address, self._get_time()):
            await asyncio.sleep(wait_s)
