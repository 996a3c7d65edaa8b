"""Answers in JSON, bent as gateways, proxies and hostile services bend them."""

import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from photochanger.testing.fuzz.mutation import mutate

DEEP = 3000
HUGE = "a number too long for Python to write"  # stands for one until the JSON is a text
VALUES: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: None,
    lambda rng: rng.choice((True, False, 0, -1, 2**31, 2**63, 10**400, 1e308, -0.0)),
    lambda rng: HUGE,
    lambda rng: rng.choice((float("nan"), float("inf"), float("-inf"))),
    lambda rng: rng.choice(("", "\0", "\ud800", "a\u2028b", "NaN", "true", "1e999", "9" * 5000)),
    lambda rng: rng.choice(
        ("x" * 70_000, "[" * DEEP, "<html>", "data:image/png;base64,", "%" * 99)
    ),
    lambda rng: "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randint(0, 40))),
    lambda rng: rng.choice(([], {}, [[]], [{}], [None], {"": ""}, {"\0": "\ud800"})),
    lambda rng: _nest(rng.choice(([], {})), rng.choice((3, 100, 900))),
    lambda rng: [0] * rng.choice((1, 1000, 50_000)),
    lambda rng: {f"k{n}": n for n in range(rng.choice((1, 100, 5000)))},
    lambda rng: rng.choice(("3.5s", "Fri, 31 Dec 9999 23:59:59 GMT", "0001-01-01", "PT1H", "-1s")),
    lambda rng: f"Please retry in {rng.choice((1, 10**8, 0.001))}{rng.choice(('s', 'ms', ' h'))}.",
)


def _nest(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value] if isinstance(value, list) else {"error": value}
    return value


def bend_json(rng: random.Random, value: Any, donors: Sequence[Any] = ()) -> Any:
    """A copy with a few of its values, keys and branches changed."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        places = _list_places(value)
        if not places:
            return value
        holder, key = rng.choice(places)
        _bend_one(rng, holder, key, donors)
    return value


def _list_places(value: Any) -> list[tuple[Any, Any]]:
    """Where each value inside of it stands: the object or list that holds it, and its key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting and len(found) < 500:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def _bend_one(rng: random.Random, holder: Any, key: Any, donors: Sequence[Any]) -> None:
    match rng.randrange(7):
        case 0:
            holder[key] = [holder[key]]
        case 1 if isinstance(holder[key], dict | list) and holder[key]:
            inner = holder[key]
            holder[key] = next(iter(inner.values() if isinstance(inner, dict) else inner))
        case 2 if isinstance(holder, dict):
            holder[_respell(rng, str(key))] = holder.pop(key)
        case 3 if isinstance(holder, dict):
            del holder[key]
        case 4 if donors:
            holder[key] = copy.deepcopy(rng.choice(donors))
        case 5 if isinstance(holder[key], str):
            bent = mutate(rng, holder[key].encode("utf-8", "surrogatepass")[:100_000])
            holder[key] = bent.decode("utf-8", rng.choice(("replace", "surrogateescape")))
        case _:
            holder[key] = rng.choice(VALUES)(rng)


def _respell(rng: random.Random, key: str) -> str:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
    return rng.choice((snake, key.upper(), key.lower(), f"{key} ", snake.replace("_", "-"), "\0"))


def write_json(rng: random.Random, value: Any) -> bytes:
    """As some program may write it, mostly whole."""
    try:
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 1)))
    except RecursionError:  # nested more than once
        text = "[" * DEEP + "]" * DEEP
    text = text.replace(f'"{HUGE}"', "9" * rng.choice((20, 400, 4_400)))
    body = text.encode("utf-8", "surrogatepass")
    body = rng.choice((*[_keep] * 6, _wrap, _pack))(rng, body)
    return mutate(rng, body) if rng.random() < 0.25 else body


def _keep(rng: random.Random, body: bytes) -> bytes:
    return body


def _wrap(rng: random.Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    return rng.choice(
        (
            b"\xef\xbb\xbf" + body,
            text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32"))),
            b")]}'\n" + body,
            b"<b>Warning</b>: PHP\n" + body,
            b"data: " + body + b"\n\ndata: " + body + b"\n\ndata: [DONE]\n",
            b"[" + body + b",\n" + body + b"]",
            b"<!doctype html><title>502</title>" + body,
            b"[" * rng.choice((10, DEEP, 100_000)) + body,
            b'{"a":' * rng.choice((10, DEEP, 100_000)) + body,
            body.replace(b":", b": \n"),
        )
    )


def _pack(rng: random.Random, body: bytes) -> bytes:
    packed = gzip.compress(body, 1, mtime=0)
    if rng.random() < 0.02:
        packed = gzip.compress(bytes(40_000_000), 1, mtime=0)
    return rng.choice(
        (packed, gzip.compress(packed, 1, mtime=0), zlib.compress(body, 1), packed * 2)
    )
