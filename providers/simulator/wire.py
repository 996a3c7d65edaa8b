"""One HTTP request in progress, and the ways its answer can succeed or break on the wire."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qs

import orjson

from providers.simulator.journal import Call

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json; charset=UTF-8"
FLOOD_BYTES = 48 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class ClientLeft(Exception):
    """The client closed the connection before it had its answer."""


class BodyTooLarge(Exception):
    """The request's body is over the limit; it was read to its end and discarded."""


class Ending(Enum):
    """How the answer ends on the wire."""

    WHOLE = auto()
    HALF = auto()  # the length is promised, the connection closes in the middle of the body
    NOTHING = auto()  # the connection is cut before a single byte
    FLOOD = auto()  # the body is followed by filler up to FLOOD_BYTES, its length declared
    ENDLESS = auto()  # the same without a declared length


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.WHOLE


def make_json_answer(data: object, status: int = 200) -> Answer:
    return Answer(status=status, body=orjson.dumps(data))


class Exchange:
    """What a service may do with a request: read it, wait until it is due, answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, call: Call) -> None:
        self.call = call
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = parse_qs(scope["query_string"].decode("latin-1"))
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self._receive = receive
        self._send = send
        self._gone: asyncio.Task[None] | None = None

    async def read_body(self, *, limit_bytes: int, keep: bool = True) -> bytes:
        """The whole body, or nothing of it unless ``keep``; its size is in the call's record.

        A body over the limit is read to its end all the same: a client that is still sending
        sees a broken pipe, not the answer.
        """
        chunks: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            chunk = message.get("body", b"")
            self.call.body_bytes += len(chunk)
            if keep and self.call.body_bytes <= limit_bytes:
                chunks.append(chunk)
            if not message.get("more_body", False):
                break
        self.call.read_at = time.monotonic()
        self._gone = asyncio.create_task(self._watch())
        if self.call.body_bytes > limit_bytes:
            raise BodyTooLarge
        return b"".join(chunks)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def wait_until(self, moment: float) -> None:
        """Sleep until ``time.monotonic()`` reaches the moment, or raise as the client leaves."""
        assert self._gone, "the body is read first"
        left = max(0.0, moment - time.monotonic())
        done, _ = await asyncio.wait({self._gone}, timeout=left)
        if done:
            raise ClientLeft

    async def deliver(self, answer: Answer) -> None:
        if answer.ending is Ending.NOTHING:
            await self._cut(at_once=True)
            return
        await self._send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": _encode_headers(answer),
            }
        )
        if answer.ending is Ending.HALF:
            await self._send_half(answer.body)
        elif answer.ending in (Ending.FLOOD, Ending.ENDLESS):
            await self._send_flood(answer.body)
        else:
            await self._send({"type": "http.response.body", "body": answer.body})

    async def _send_half(self, body: bytes) -> None:
        half = body[: len(body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        await self._cut(at_once=False)

    async def _send_flood(self, body: bytes) -> None:
        sent = 0
        while sent < FLOOD_BYTES:
            await self.wait_until(0)  # raises ClientLeft when the client has stopped reading
            chunk = body.ljust(_CHUNK_BYTES, b"A") if not sent else b"A" * _CHUNK_BYTES
            sent += len(chunk)
            await self._send(
                {"type": "http.response.body", "body": chunk, "more_body": sent < FLOOD_BYTES}
            )

    async def _cut(self, *, at_once: bool) -> None:
        """Close the connection; ``at_once`` drops even what was sent but is still on its way."""
        assert self._gone, "the body is read first"
        # ASGI has no message for this. Uvicorn's `send` is a bound method of the object that holds
        # the transport, for both of its HTTP parsers.
        transport: asyncio.Transport = self._send.__self__.transport  # type: ignore[attr-defined]
        if at_once:
            transport.abort()
        else:
            transport.close()
        # Returning before uvicorn has seen the end would make it report an unfinished answer.
        await asyncio.wait({self._gone}, timeout=1)

    def end(self) -> None:
        if self._gone:
            self._gone.cancel()


def _encode_headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    date = ("date", formatdate(usegmt=True))
    headers = [("content-type", answer.content_type), date, *answer.headers]
    if answer.ending is Ending.FLOOD:
        headers.append(("content-length", str(FLOOD_BYTES)))
    elif answer.ending is not Ending.ENDLESS:
        headers.append(("content-length", str(len(answer.body))))
    # Named as Google's front end does over HTTP/1.1: a client of theirs looks for `Content-Type`.
    return [(name.title().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
