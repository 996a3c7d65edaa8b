"""Answers of limits and of statuses nobody documents, in the spellings of services and gateways.

``hint`` functions tell ``work.number`` seconds, or half a second.
"""

import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import orjson

from providers.simulator.gemini.answers import Work, build_error
from providers.simulator.gemini.scenario_answers import HTML
from providers.simulator.wire import JSON, Answer, make_json_answer

EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
SPEND_CAP = "Your project has exceeded its monthly spending cap. Raise it in AI Studio."
PREPAID = "Your prepayment credits are depleted. Please go to AI Studio to top up."
PER_MONTH = "Quota exceeded: requests per month for this project and model."
PROXY_PAGE = b"<html><title>ERROR: Cache Access Denied</title><h1>squid</h1></html>"
_HINT_S = 0.5


def answer_limit(
    make_headers: Callable[[float], dict[str, str]] | None = None,
    *,
    message: str = EXHAUSTED,
    make_details: Callable[[float], list[dict[str, Any]]] | None = None,
) -> Callable[[Work], Answer]:
    """A 429 with a hint in its headers, in its details, both or none."""

    def build(work: Work) -> Answer:
        seconds = _HINT_S if work.number is None else work.number
        details = make_details(seconds) if make_details else []
        words = message.format(ms=round(seconds * 1000), s=f"{seconds:g}")
        body = build_error(429, "RESOURCE_EXHAUSTED", words, *details)
        headers = make_headers(seconds) if make_headers else {}
        return _answer_json(body, 429, headers)

    return build


def _answer_json(body: Any, status: int, headers: dict[str, str]) -> Answer:
    return Answer(
        status=status, body=orjson.dumps(body), content_type=JSON, headers=tuple(headers.items())
    )


def make_retry_info(delay: Any) -> list[dict[str, Any]]:
    return [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]


def hint_date(seconds: float) -> dict[str, str]:
    """The next whole second at least that far away: dates have no fractions."""
    return {"retry-after": formatdate(time.time() + seconds + 1, usegmt=True)}


def hint_object(seconds: float) -> list[dict[str, Any]]:
    whole = int(seconds)
    return make_retry_info({"seconds": whole, "nanos": round((seconds - whole) * 1e9)})


def hint_reset(seconds: float) -> dict[str, str]:
    return {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(time.time() + seconds)}


def answer_limit_in_list(work: Work) -> Answer:
    seconds = _HINT_S if work.number is None else work.number
    details = make_retry_info(f"{seconds:g}s")
    return make_json_answer([build_error(429, "RESOURCE_EXHAUSTED", EXHAUSTED, *details)], 429)


def answer_limit_of_gateway(work: Work) -> Answer:
    seconds = _HINT_S if work.number is None else work.number
    body = {"code": "rate_limit_exceeded", "msg": "Too many requests", "retry_after": seconds}
    return make_json_answer(body, 429)


def answer_quoted_limit(work: Work) -> Answer:
    """A gateway that quotes what stood behind it."""
    seconds = _HINT_S if work.number is None else work.number
    details = make_retry_info(f"{seconds:g}s")
    quoted = build_error(429, "RESOURCE_EXHAUSTED", EXHAUSTED, *details)
    message = f"upstream said: {orjson.dumps(quoted).decode()}"
    return make_json_answer({"error": {"message": message, "type": "upstream_error"}}, 429)


def answer_error_in_200(work: Work) -> Answer:
    return make_json_answer(build_error(429, "RESOURCE_EXHAUSTED", EXHAUSTED))


def answer_page(status: int) -> Callable[[Work], Answer]:
    """Something between us and the service."""
    return lambda work: Answer(status=status, body=PROXY_PAGE, content_type=HTML)
