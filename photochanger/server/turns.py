"""Requests that are complete wait for their turn here, before anything is made for them."""

from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from photochanger.edge.asgi_types import Receive, Scope, Send
from photochanger.edge.download_throttle import has_body
from photochanger.edge.paths import needs_no_turn
from photochanger.parsing import group_address
from photochanger.request_errors import ServerBusy
from photochanger.request_scope import LEAVE_KEY
from photochanger.server.connections import waiting
from photochanger.server.gate import Gate, Leave
from photochanger.server.heads import make_answer

gate = Gate()


def make_room() -> bool:
    """Let a connection go that nothing is being done for; False when there is none."""
    first, second = (gate, waiting) if len(gate) > len(waiting) else (waiting, gate)
    return first.evict() or second.evict()


class TurnProtocol(HttpToolsProtocol):
    """uvicorn's own, with a gate before the application for all but photos and monitors."""

    _running: RequestResponseCycle | None = None  # or waiting for its turn

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if needs_no_turn(cycle.scope["path"]):
            super()._start_asgi_task(cycle, app)
        else:
            address = group_address(self.client[0]) if self.client else ""
            if has_body(cycle.scope):  # type: ignore[arg-type]
                self.flow.pause_reading()  # in a crowd those would be memory
            gate.queue(self, address, partial(self._start_in_place, cycle, app))

    def _start_in_place(self, cycle: RequestResponseCycle, app: Any, leave: Leave) -> None:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            scope[LEAVE_KEY] = leave
            try:
                await app(scope, receive, send)
            finally:
                leave()

        self.flow.resume_reading()
        super()._start_asgi_task(cycle, run)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        gate.discard(self)
        super().connection_lost(exc)

    def turn_away(self) -> None:
        """Refuse a request that is complete, but not in work yet."""
        assert self._running is not None
        self._disconnect()
        error = ServerBusy("too many requests wait", retry_after_s=5)
        # Not the connection's own transport: the answer may have begun already.
        self._running.transport.write(make_answer(error, self._running.scope["headers"]))
        self.transport.close()

    def _disconnect(self) -> None:
        """Tell the request that is being answered; of a pipeline that is not the newest one."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
