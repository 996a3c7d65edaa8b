"""What the edge leaves in a request's ASGI scope for the views: its unread body and its arrival.

And what a view leaves there for the edge.
"""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any, Protocol

from django.http import HttpRequest

BODY_KEY, ARRIVED_KEY = "photochanger.body", "photochanger.arrived"
HEAD_KEY = "photochanger.head"
STRANGER_KEY = "photochanger.stranger"  # true of a log-in by a browser that has never logged in
LEAVE_KEY = "photochanger.leave"  # for the edge: called as soon as the answer's work is done
# Left by a view, time.monotonic(): until then its answer is the same for whoever asks.
FRESH_UNTIL_KEY = "photochanger.fresh_until"


class StreamedBody(Protocol):
    """A body that the view reads itself, while it arrives."""

    taken_bytes: int

    @property
    def batch_bytes(self) -> int: ...

    def check_declared(self, cap_bytes: int | None = None) -> None: ...

    def iter_chunks(self) -> AsyncIterator[bytes]: ...


def get_scope(request: HttpRequest) -> MutableMapping[str, Any]:
    """The ASGI scope; empty for a request that came by no server, as in some tests."""
    scope: MutableMapping[str, Any] = getattr(request, "scope", {})
    return scope


def get_streamed_body(request: HttpRequest) -> StreamedBody | None:
    """The body for the view to read; None where Django has read it already."""
    body: StreamedBody | None = get_scope(request).get(BODY_KEY)
    return body


def get_body_head(request: HttpRequest) -> bytearray:
    """The first few KB that came of the body; it grows while the rest of a refused body is read."""
    head: bytearray = get_scope(request).get(HEAD_KEY, bytearray())
    return head


def get_arrival_time(request: HttpRequest) -> float:
    """The event loop's time at the request's first byte, in seconds."""
    now = asyncio.get_running_loop().time()
    return float(get_scope(request).get(ARRIVED_KEY, now))
