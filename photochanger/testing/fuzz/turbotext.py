"""Turbotext's answers: orders, polls, refusals, and the addresses of finished pictures."""

import random
from functools import cache
from typing import Any
from unittest import mock

import httpx

from photochanger.errors import ProviderError
from photochanger.testing.fuzz.answers import HEADERS, STATUSES, check_error, check_trace
from photochanger.testing.fuzz.json_trees import bend_json, write_json
from photochanger.testing.fuzz.target import MB, Target, Wrong, derive_random
from providers.base import CallTrace
from providers.downloads import download
from providers.http import Reply
from providers.turbotext.answer import (
    MAX_ANSWER_BYTES,
    Answer,
    find_picture_urls,
    parse_answer,
)
from providers.turbotext.driver import TurbotextDriver, explain_status

DRIVER = TurbotextDriver()
MAX_CASE_BYTES = 4 * MAX_ANSWER_BYTES  # what is made here must not count as the reader's memory
HOST = "www.turbotext.ru"
BASE = f"https://{HOST}/api/ai"
INNER = (
    "http://127.0.0.1/",
    "http://[::1]:80/",
    "file:///etc/passwd",
    "https://www.turbotext.ru@x/",
)
ADDRESSES = (
    "/upload/1.jpg",
    "https://www.turbotext.ru/1.jpg",
    "//x/",
    "https://[",
    "\\\\x",
    *INNER,
)
WORDS = ("Неверный API ключ", "Too many requests", "Лимит исчерпан", "Лицо не найдено", "busy")
ANSWERS: tuple[Any, ...] = (
    {"success": True, "action": "reconnect", "queueid": 123456, "limits": {"foto_limit": 12}},
    {"success": "True", "uploaded_image": "/upload/1.jpg", "data": {"image": "/upload/2.jpg"}},
    {"success": True, "data": {"uploaded_image": ["", "/upload/3.jpg"], "queueid": "9"}},
    {"success": False, "error": "Лимит исчерпан", "data": {"forbidden_content": True}},
    {"success": False, "error": ["", "Please retry in 9 s"], "data": [], "limits": []},
    [{"success": 1, "queueid": "77"}],
    {"success": True, "data": [{"image": [{"url": "/upload/4.jpg"}]}], "queue_id": 7.0},
    {"success": False, "errors": [{"message": "Недостаточно средств"}], "status": "processing"},
    {"error": {"code": 503, "message": "overloaded"}, "retry_after": "PT7S"},
)


@cache
def _list_donors() -> tuple[Any, ...]:
    return (*ANSWERS, *ADDRESSES, *WORDS)


def make_answer(rng: random.Random) -> bytes:
    answer = write_json(rng, bend_json(rng, rng.choice(ANSWERS), _list_donors()))
    return answer[:MAX_CASE_BYTES]


def try_answer(case: bytes) -> str:
    rng = derive_random(case)
    status, trace = rng.choice(STATUSES), CallTrace(model="generate_image2image")
    headers = httpx.Headers([("retry-after", rng.choice(HEADERS).encode("latin-1"))])
    answer, outcome = Answer(), "ok"
    try:
        answer = parse_answer(case, trace, status=status)
        outcome = _follow(answer) if not answer.is_pending else "pending"
    except ProviderError as exc:
        outcome = check_error(exc)
    check_error(explain_status(Reply(status, headers, case, None), answer))
    check_trace(trace, DRIVER)
    return outcome


class _Fetched(Exception):
    """The download has come to its request."""


async def _note_fetch(url: str, **_: Any) -> Reply:
    raise _Fetched(url)


def _follow(answer: Answer) -> str:
    """Where the picture would be fetched: nowhere but at the service itself, as the client that
    fetches reads the address."""
    with mock.patch("providers.downloads.http.get", _note_fetch):
        download_ = download(find_picture_urls(answer)[0], base_url=BASE, hosts=())
        try:
            download_.send(None)  # nothing is waited for: no host is listed that is looked up
        except _Fetched as exc:
            fetched = httpx.URL(str(exc))
            if (fetched.scheme, fetched.host, fetched.port) != ("https", HOST, None):
                raise Wrong(f"would fetch {fetched!r}") from None
            return "ok"
    raise Wrong("the download waits for something")


TURBOTEXT = Target(
    name="turbotext",
    make_case=make_answer,
    try_case=try_answer,
    most_cpu_s=2.0,
    most_bytes=60 * MB,
)
