"""The edge: what happens to a request before Django sees it (ASGI wrappers).

Django alone would take a 1 GB upload to disk, twice, before any view could refuse it; it never
gives up on a half-sent body; and it gives each waiting request a thread and a database connection
of its own until its end.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from photochanger import metrics
from photochanger.errors import AppError, ClientGone, InvalidRequest, PayloadTooLarge
from photochanger.request_scope import ARRIVED_KEY, BODY_KEY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Paths whose views read the body themselves, while it arrives.
STREAMED_PATHS = ("/ingest/", "/api/ingest/")
TEST_RUN_PATH = re.compile(r"/api/slots/[^/]+/test-run")
# A provider that fetches a photo holds that photo up.
FETCHED_PATH = "/public/provider-media/"
MONITORS_PATHS = ("/metrics", "/healthz")
FORM_ROOM_BYTES = 64 * 1024  # form fields around the photo, above the cap of the photo itself
DRAIN_BYTES, DRAIN_SECONDS = 1024 * 1024, 2.0


def is_streamed(path: str) -> bool:
    return path.startswith(STREAMED_PATHS) or bool(TEST_RUN_PATH.fullmatch(path))


class Body:
    """A request's body as it arrives: counted, and given up when the sender falls silent."""

    def __init__(self, scope: Scope, receive: Receive, *, cap_bytes: int) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        self.declared_bytes = int(length) if length.isdigit() else None
        self.has_waiting_sender = headers.get(b"expect", b"").lower() == b"100-continue"
        self.cap_bytes = cap_bytes
        self.taken_bytes = 0
        self.is_complete = self.declared_bytes == 0 or (
            self.declared_bytes is None and b"transfer-encoding" not in headers
        )
        self._receive = receive
        self._at_rest = asyncio.Event()  # nobody reads the body (any more)
        if self.is_complete:
            self._at_rest.set()

    def check_declared(self, cap_bytes: int | None = None) -> None:
        """Refuse by Content-Length, before a byte is read. Raises PayloadTooLarge."""
        cap = min(self.cap_bytes, cap_bytes or self.cap_bytes)
        if (self.declared_bytes or 0) > cap + FORM_ROOM_BYTES:
            raise PayloadTooLarge(f"{self.declared_bytes} bytes declared, {cap} allowed")

    async def receive(self) -> Message:
        """The next ASGI message. Raises PayloadTooLarge, or InvalidRequest for a silent sender."""
        if self.is_complete:
            return await self._receive()  # the client may stay as long as it likes
        try:
            async with asyncio.timeout(settings.UPLOAD_IDLE_SECONDS):
                return self._counted(await self._receive())
        except TimeoutError as exc:
            raise InvalidRequest("the sender fell silent in the middle of its body") from exc

    def _counted(self, message: Message) -> Message:
        if message["type"] == "http.request":
            self.taken_bytes += len(message.get("body", b""))
            if self.taken_bytes > self.cap_bytes + FORM_ROOM_BYTES:
                raise PayloadTooLarge(f"more than {self.cap_bytes} bytes sent")
            self.is_complete = not message.get("more_body", False)
        return message

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece. Raises ClientGone too."""
        try:
            while not self.is_complete:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone("the booth hung up while it sent the photo")
                if chunk := message.get("body", b""):
                    yield chunk
        finally:
            self._at_rest.set()

    async def receive_for_django(self) -> Message:
        """Django's view of a streamed body: none; afterwards, whether the client is still there."""
        if not self._at_rest.is_set():
            await self._at_rest.wait()
        if not self.is_complete:
            return await asyncio.Future()  # refused half-way: nothing more of it will be read
        while (message := await self._receive())["type"] == "http.request":
            pass  # an empty body's one message, which nobody had to read
        return message

    async def drain(self) -> None:
        """Read on for a moment after a refusal.

        A client that is still writing when the connection closes may lose the answer to a reset;
        so may a front server, which then answers 502. A body within the cap is read to its end.
        """
        if self.is_complete or (self.has_waiting_sender and not self.taken_bytes):
            return
        declared = self.declared_bytes or 0
        left = max(DRAIN_BYTES, declared if declared <= self.cap_bytes + FORM_ROOM_BYTES else 0)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if message["type"] != "http.request" or not message.get("more_body"):
                        return
        except TimeoutError:
            return


class BodyGuard:
    """Refuses bodies that are too large or never end, and lends the photo's body to its view."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope[ARRIVED_KEY] = asyncio.get_running_loop().time()
        body = Body(scope, receive, cap_bytes=settings.MAX_UPLOAD_MB * 1024 * 1024)
        answer = Answer(body, send, is_for_booth=scope["path"].startswith(STREAMED_PATHS))
        try:
            body.check_declared()
            if is_streamed(scope["path"]) and scope["method"] == "POST":
                scope[BODY_KEY] = body
                django_receive = _after_empty_body(body)
            else:
                django_receive = body.receive
            await self.app(scope, django_receive, answer.send)
        except AppError as exc:  # raised outside any view: Django was still reading the body
            if answer.is_started:
                raise
            await answer.refuse(exc, language=_language(scope))
        return None


def _after_empty_body(body: Body) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return first.pop() if first else await body.receive_for_django()

    return receive


class Answer:
    """The way back: closes the connection in good order when the body was not read to its end."""

    def __init__(self, body: Body, send: Send, *, is_for_booth: bool = False) -> None:
        self._body, self._send, self._is_for_booth = body, send, is_for_booth
        self.is_started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            if self._is_for_booth:
                metrics.booth_answered(message["status"])
            if not self._body.is_complete:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last and not self._body.is_complete:
            await self._send({**message, "more_body": True})
            await self._body.drain()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def refuse(self, error: AppError, *, language: str) -> None:
        metrics.refused(status=error.status, reason=error.reason)
        content = json.dumps(error.answer(language), ensure_ascii=False).encode()
        headers = {
            **error.headers(),
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(content)),
        }
        await self.send(
            {
                "type": "http.response.start",
                "status": error.status,
                "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            }
        )
        await self.send({"type": "http.response.body", "body": content})


def _language(scope: Scope) -> str:
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    return language_of(accepted)


def language_of(accept_language: str) -> str:
    """The best of our languages for an ``Accept-Language`` header."""
    for code, _quality in parse_accept_lang_header(accept_language.lower()):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


class Lane:
    """One thread, and so one database connection, that requests take turns on."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="lane")
        self.requests = 0


class RequestLanes:
    """Runs the synchronous part of requests on a few threads, each with one lasting connection.

    Django's own way is a thread, and so a database connection, for every request in flight: 500
    waiting photos held 500 connections; on lanes they hold as many as there are lanes. The photo's
    path has lanes of its own, so that a slow console page never stands in its way.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._photo = [Lane() for _ in range(settings.REQUEST_LANES)]
        self._console = [Lane() for _ in range(settings.CONSOLE_LANES)]
        self._monitors = [Lane()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        # The least busy one, and of equals the first: its connection is the warmest.
        lane = min(self._lanes_for(scope["path"]), key=lambda lane: lane.requests)
        lane.requests += 1
        try:
            async with ThreadSensitiveContext(executor=lane.executor):
                return await self.app(scope, receive, send)
        finally:
            lane.requests -= 1

    def _lanes_for(self, path: str) -> list[Lane]:
        if is_streamed(path) or path.startswith(FETCHED_PATH):
            return self._photo
        return self._monitors if path in MONITORS_PATHS else self._console

    async def warm_up(self, step: Callable[[], None]) -> None:
        """Run a step once on every lane that somebody waits for."""
        loop = asyncio.get_running_loop()
        lanes = [*self._photo, *self._console]
        await asyncio.gather(*(loop.run_in_executor(lane.executor, step) for lane in lanes))


class Lifespan:
    """Start and stop of a server process: warm up, and leave no connection open behind."""

    def __init__(
        self,
        app: App,
        *,
        startup: Callable[[], Awaitable[None]],
        shutdown: Callable[[], Awaitable[None]],
    ) -> None:
        self.app, self._startup, self._shutdown = app, startup, shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await self.app(scope, receive, send)
        await receive()
        await self._startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._shutdown()
        await send({"type": "lifespan.shutdown.complete"})
        return None
