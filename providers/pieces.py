"""Bound answers by their pieces too: a million tiny ones cost more than their bytes."""

import asyncio
from typing import Any

import h11
import httpcore
from httpcore._async.http11 import AsyncHTTP11Connection

from photochanger.errors import BadResponse

MAX_INTERIM = 16  # answers of 1xx before the real one
# Front servers send kilobytes at a time; the first thousand may be as small as they like.
SPARE_PIECES, LEAST_PIECE_BYTES = 1000, 512
PIECES_IN_A_ROW = 64  # read at once, 1-2 ms; then others have their turn

_receive_event = AsyncHTTP11Connection._receive_event


async def receive_event(connection: Any, **options: Any) -> Any:
    """Raises httpcore.RemoteProtocolError where the real answer does not come."""
    event = await _receive_event(connection, **options)
    if isinstance(event, h11.InformationalResponse):
        connection.interim = getattr(connection, "interim", 0) + 1
        if connection.interim > MAX_INTERIM:
            raise httpcore.RemoteProtocolError("too many answers before the answer")
    elif isinstance(event, h11.Response):
        connection.interim = 0
    return event


def limit_interim_answers() -> None:
    """From now on, in this process. There is no public setting for it."""
    AsyncHTTP11Connection._receive_event = receive_event  # type: ignore[method-assign,assignment]


async def note_piece(count: int, *, size_bytes: int) -> None:
    """After each piece of a body. Raises BadResponse."""
    if count > SPARE_PIECES + size_bytes // LEAST_PIECE_BYTES:
        raise BadResponse("the answer comes in too many pieces")
    if count % PIECES_IN_A_ROW == 0:
        await asyncio.sleep(0)
