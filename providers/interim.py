"""Answers of 1xx that come before the real one, with an end."""

from typing import Any

import h11
import httpcore
from httpcore._async.http11 import AsyncHTTP11Connection

MAX_INTERIM = 16  # answers of 1xx before the real one

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
