"""How long a call's bytes were on their way: what of its time is not the service's own."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# Events of httpcore's ``trace`` extension. What is in none of them is the service's own time.
SENDING = {
    "connection.connect_tcp",
    "connection.start_tls",
    "http11.send_request_headers",
    "http11.send_request_body",
}
RECEIVING = {"http11.receive_response_body"}


@dataclass(slots=True)
class Traffic:
    """Seconds spent on sending (connection set-up included) and receiving, over all requests."""

    send_s: float = 0.0
    receive_s: float = 0.0
    _began: dict[str, float] = field(default_factory=dict)

    async def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """httpcore's ``trace``: each event ends in ``started``, ``complete`` or ``failed``."""
        name, _, phase = event.rpartition(".")
        if name not in SENDING and name not in RECEIVING:
            return
        now = asyncio.get_running_loop().time()
        if phase == "started":
            self._began[name] = now
            return
        took_s = now - self._began.pop(name, now)
        if name in SENDING:
            self.send_s += took_s
        else:
            self.receive_s += took_s


_current: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


@contextmanager
def measure_traffic(traffic: Traffic) -> Iterator[None]:
    """Add to ``traffic`` what ``providers.http`` sends and receives for this task in the block."""
    token = _current.set(traffic)
    try:
        yield
    finally:
        _current.reset(token)


def make_extensions() -> dict[str, Any]:
    """httpx's extensions of a request: none where nobody measures."""
    traffic = _current.get()
    return {"trace": traffic.note} if traffic is not None else {}
