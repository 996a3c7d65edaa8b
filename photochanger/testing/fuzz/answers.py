"""What both services' answers are held to, whatever is in them."""

import json
import math
from typing import Any

from photochanger.errors import ProviderError
from photochanger.testing.fuzz.target import Wrong
from providers.base import CallTrace, ProviderDriver

MAX_DETAIL, MAX_WORD = 1200, 200  # characters, as rows and pages take them
HEADERS = ("", "3", "1e9", "-1", "nan", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400, "\xff", "inf")
STATUSES = (
    *(200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 407, 408, 409, 413, 422, 429),
    *(499, 500, 502, 503, 504, 529, 599, 999),
)


def check_error(error: ProviderError) -> str:
    """Its class; raises Wrong for what a row, a log line or a booth could not take."""
    check_text(str(error), MAX_DETAIL)
    json.dumps(error.to_json("en"), allow_nan=False)
    delay_s = error.retry_after_s
    if delay_s is not None and not (math.isfinite(delay_s) and 0 <= delay_s <= 86_400):
        raise Wrong(f"retry after {delay_s}")
    if not error.headers:
        raise Wrong("no headers")
    return type(error).__name__


def check_trace(trace: CallTrace, driver: ProviderDriver[Any]) -> None:
    """What rows keep of a call, and pages say of it."""
    trace.redact()
    for word in (trace.finish_reason, trace.provider_request_id, trace.note, trace.model):
        check_text(word, MAX_WORD)
    kept = json.dumps(trace.usage, allow_nan=False)
    if "\\u0000" in kept or len(kept) > 20_000:  # PostgreSQL takes no such text
        raise Wrong(f"usage: {kept[:200]}")
    check_text(driver.describe_usage(trace.usage), 20_000)
    driver.count_tokens(trace.usage)
    driver.calls_left(trace.usage)


def check_text(text: str, limit: int) -> None:
    text.encode()  # no half of a pair: neither databases nor logs take it
    if len(text) > limit or "\0" in text:
        raise Wrong(f"not a text for a row: {text[:200]!r}, {len(text)} characters")
