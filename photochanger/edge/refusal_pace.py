"""Refusals in a row are answered slowly to one address: whoever guesses waits, and costs little.

A refused request costs the server 6-8 ms of CPU, and a stranger sends the next one as soon as the
last is answered: 130 a second kept a good photo waiting ten times as long as usual. Answers wait
by a timer, when the work is done and the body's file is closed. Nothing but refusals waits: a right
password from the same address is answered at once.
"""

import asyncio
import time
from collections.abc import Callable

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.parsing import group_address
from photochanger.threads.pace import Pace

# A hall of booths after a changed password is far below this, a guest who mistypes too.
BURST, PER_SECOND = 20, 10.0


class RefusalPace:
    """Holds back the answers 400 to 499 of an address that has had too many of them."""

    def __init__(self, app: App, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self.app, self._get_time, self._pace = app, get_time, Pace(BURST, PER_SECOND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_in_turn(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                await self._wait(group_address((scope.get("client") or ("",))[0]))
            await send(message)

        return await self.app(scope, receive, send_in_turn)

    async def _wait(self, address: str) -> None:
        if wait_s := self._pace.take(address, self._get_time()):
            await asyncio.sleep(wait_s)
