"""Refusals in a row are answered slowly to one address: whoever guesses waits, and costs little.

A refused request costs the server 6-8 ms of CPU, and a stranger sends the next one as soon as the
last is answered: 130 a second kept a good photo waiting ten times as long as usual. Answers wait
by a timer, when the work is done and the body's file is closed. Nothing but refusals waits: a right
password from the same address is answered at once. An answer that waits holds a connection, so
only so many wait.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.parsing import group_address
from photochanger.request_scope import LEAVE_KEY
from photochanger.threads.pace import Pace

# A hall of booths after a changed password is far below this, a guest who mistypes too.
BURST, PER_SECOND = 20, 10.0
MAX_HELD = 500  # of 4,096 connections


class HeldAnswers:
    """Answers that wait for their time. Beyond ``most``, whoever has most of them loses one."""

    def __init__(self, most: int) -> None:
        self._most, self._count = most, 0
        self._by_address: dict[str, OrderedDict[asyncio.Future[bool], None]] = {}

    async def hold(self, address: str, wait_s: float) -> bool:
        """Returns when the time is over; False when it had to make room before."""
        loop = asyncio.get_running_loop()
        end: asyncio.Future[bool] = loop.create_future()
        self._by_address.setdefault(address, OrderedDict())[end] = None
        self._count += 1
        timer = loop.call_later(wait_s, self._let_go, address, end, True)
        try:
            if self._count > self._most:
                self._make_room()
            return await end
        finally:
            timer.cancel()
            self._let_go(address, end, False)

    def _make_room(self) -> None:
        address, ends = max(self._by_address.items(), key=lambda item: len(item[1]))
        self._let_go(address, next(iter(ends)), False)

    def _let_go(self, address: str, end: "asyncio.Future[bool]", is_due: bool) -> None:
        ends = self._by_address.get(address, OrderedDict())
        if end not in ends:
            return
        del ends[end]
        self._count -= 1
        if not ends:
            del self._by_address[address]
        if not end.done():
            end.set_result(is_due)


class RefusalPace:
    """Holds back the answers 400 to 499 of an address that has had too many of them.

    One that makes room is answered before its time, and loses its connection for it.
    """

    def __init__(self, app: App, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self.app, self._get_time, self._pace = app, get_time, Pace(BURST, PER_SECOND)
        self._held = HeldAnswers(MAX_HELD)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_in_turn(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and (leave := scope.get(LEAVE_KEY)):
                leave()  # neither this wait nor a slow reader keeps others from their work
            if is_start and 400 <= message["status"] < 500:
                address = group_address((scope.get("client") or ("",))[0])
                wait_s = self._pace.take(address, self._get_time())
                if wait_s and not await self._held.hold(address, wait_s):
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        return await self.app(scope, receive, send_in_turn)
