"""Heads of requests and answers, written by hand where no application has a part in them."""

import json
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from photochanger.edge.language import negotiate_language
from photochanger.errors import AppError

Header = tuple[bytes, bytes]


def make_plain_head(line: tuple[bytes, bytes, bytes], headers: Iterable[Header]) -> bytes:
    """A request's head without the wish for another protocol: we speak HTTP/1.1 only.

    ``line`` is the method, the target and the version.
    """
    kept = [pair for pair in map(_decline_in_header, headers) if pair]
    lines = b"".join(b"%b: %b\r\n" % pair for pair in kept)
    return b"%b %b HTTP/%b\r\n%b\r\n" % (*line, lines)


def _decline_in_header(pair: Header) -> Header | None:
    name, value = pair
    if name in (b"upgrade", b"http2-settings"):
        return None
    if name == b"connection":
        tokens = [token.strip() for token in value.split(b",")]
        value = b", ".join(t for t in tokens if t.lower() not in (b"upgrade", b"http2-settings"))
    return name, value


def make_answer(error: AppError, headers: Iterable[Header]) -> bytes:
    """A whole answer that refuses, in our JSON; the connection is closed behind it."""
    accepted = dict(headers).get(b"accept-language", b"").decode("latin-1")
    body = json.dumps(error.to_json(negotiate_language(accepted)), ensure_ascii=False).encode()
    lines = {
        **error.headers,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    head = "".join(f"{name.lower()}: {value}\r\n" for name, value in lines.items())
    return b"".join((STATUS_LINE[error.status], head.encode(), b"\r\n", body))
