"""SOCKS as httpcore speaks it, with an end, and with words for a proxy that speaks something else.

Without them a greeting to an HTTP proxy, which waits for the rest of a line, waits for ever.
"""

import asyncio
from typing import Any

import httpcore
from httpcore import AsyncNetworkStream
from httpcore._async import socks_proxy
from socksio import ProtocolError

GREETING_S = 10.0  # as long as a connection may take
NO_SOCKS = "the proxy gives no SOCKS answer"
SILENT = "the proxy was asked for a connection, and went silent"

_greet = socks_proxy._init_socks5_connection


class _Answers:
    """The stream during the greeting; knows whether the proxy has answered as SOCKS does."""

    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream, self.is_socks = stream, False

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def read(self, max_bytes: int) -> bytes:
        data = await self._stream.read(max_bytes=max_bytes)
        self.is_socks = data[:1] == b"\x05" or self.is_socks
        return data


async def greet_proxy(stream: AsyncNetworkStream, **options: Any) -> None:
    """Raises httpcore.ProxyError."""
    answers = _Answers(stream)
    try:
        async with asyncio.timeout(GREETING_S):
            await _greet(answers, **options)  # type: ignore[arg-type]
    except TimeoutError as exc:
        raise httpcore.ProxyError(SILENT if answers.is_socks else NO_SOCKS) from exc
    except (ProtocolError, AssertionError, ValueError, IndexError) as exc:
        raise httpcore.ProxyError(NO_SOCKS) from exc


def limit_greetings() -> None:
    """From now on, in this process. There is no public setting for it."""
    socks_proxy._init_socks5_connection = greet_proxy
