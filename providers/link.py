"""How fast bytes get from this server to an AI service, measured by calls that cost nothing."""

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Any

import pybase64

from providers import http
from providers.base import ProviderDriver

SMALL_BYTES, LARGE_BYTES = 1024, 1024 * 1024
MEASURE_SECONDS = 30.0  # for both calls together
CLEAR_S = 0.01  # a difference below is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpeed:
    """``bytes_per_s`` is at least that where ``is_least``: the link was too fast to measure."""

    bytes_per_s: float
    round_trip_s: float
    is_least: bool = False


async def measure_upload(driver: ProviderDriver[Any], api_key: str) -> LinkSpeed | None:
    """Send a little and then a megabyte; the difference is the link. None: the service has no such
    call. Raises ProviderError, TimeoutError."""
    async with asyncio.timeout(MEASURE_SECONDS):
        await _time_call(driver, api_key, SMALL_BYTES)  # the connection is made by this one
        small_s = await _time_call(driver, api_key, SMALL_BYTES)
        if small_s is None:
            return None
        large_s = await _time_call(driver, api_key, LARGE_BYTES)
    assert large_s is not None
    took_s = large_s - small_s
    rate = (LARGE_BYTES - SMALL_BYTES) / max(took_s, CLEAR_S)
    return LinkSpeed(bytes_per_s=rate, round_trip_s=small_s, is_least=took_s < CLEAR_S)


async def _time_call(driver: ProviderDriver[Any], api_key: str, size_bytes: int) -> float | None:
    """Seconds until the answer is there, whatever it says: its status is no matter here."""
    filler = pybase64.b64encode(os.urandom(size_bytes * 3 // 4))
    call = driver.build_unbilled_call(api_key, filler.decode())
    if call is None:
        return None
    began = time.monotonic()
    await http.post(call.url, headers=call.headers, content=call.body)
    return time.monotonic() - began
