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
SILENT = "it went silent, or waits for another protocol than SOCKS"

_greet = socks_proxy._init_socks5_connection


async def greet_proxy(stream: AsyncNetworkStream, **options: Any) -> None:
    """Raises httpcore.ProxyError."""
    try:
        async with asyncio.timeout(GREETING_S):
            await _greet(stream, **options)
    except TimeoutError as exc:
        raise httpcore.ProxyError(SILENT) from exc
    except (ProtocolError, AssertionError, ValueError, IndexError) as exc:
        raise httpcore.ProxyError(NO_SOCKS) from exc


def limit_greetings() -> None:
    """From now on, in this process. There is no public setting for it."""
    socks_proxy._init_socks5_connection = greet_proxy
