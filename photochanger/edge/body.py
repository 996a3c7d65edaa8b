"""Limit request bodies before Django sees them: their size, and how long a sender may pause.

Django alone would write a 1 GB upload to disk, twice, before any view could refuse it, and it
never gives up on a half-sent body.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from django.conf import settings

from photochanger import metrics
from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.edge.language import negotiate_language
from photochanger.edge.paths import BOOTH_PATHS, takes_photo
from photochanger.edge.reception import Sender, reception
from photochanger.errors import AppError, ClientGone, PayloadTooLarge, StorageError
from photochanger.parsing import group_address
from photochanger.request_errors import UploadStalled
from photochanger.request_scope import ARRIVED_KEY, BODY_KEY, HEAD_KEY

BODY_SECONDS = 75.0  # from the first byte to the last one; a slot may wait for 60
FORM_ROOM_BYTES = 64 * 1024  # form fields around the photo, above the cap of the photo itself
SMALL_BODY_BYTES = 16 * 1024  # where no picture is due
DRAIN_BYTES, DRAIN_SECONDS = 1024 * 1024, 2.0
HEAD_BYTES = 4096  # kept of a body: the booth's own fields stand before its photo


class RequestBody:
    """A request's body as it arrives: counted, with a time-out for a sender that stalls."""

    def __init__(self, scope: Scope, receive: Receive, *, cap_bytes: int) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        self.declared_bytes = int(length) if length.isdigit() else None
        self.has_waiting_sender = headers.get(b"expect", b"").lower() == b"100-continue"
        self.cap_bytes = cap_bytes
        self.taken_bytes, self._is_shown_empty = 0, False
        self.head = bytearray()
        self._sender = Sender(group_address((scope.get("client") or ("",))[0]))
        self.is_complete = self.declared_bytes == 0 or (
            self.declared_bytes is None and b"transfer-encoding" not in headers
        )
        self._receive, self._arrived_at = receive, float(scope.get(ARRIVED_KEY, 0.0))
        self._is_released = asyncio.Event()  # the view does not read the body (any more)
        if self.is_complete:
            self._is_released.set()

    @property
    def _room_bytes(self) -> int:
        """For the fields around a picture."""
        return FORM_ROOM_BYTES if self.cap_bytes > SMALL_BODY_BYTES else 0

    @property
    def batch_bytes(self) -> int:
        """How much of it may wait in memory, for the next step, among all that are arriving."""
        return reception.batch_bytes

    def open(self) -> None:
        """From here on it is one that is arriving, until it is complete or closed."""
        if not self.is_complete:
            reception.begin(self._sender)

    def close(self) -> None:
        reception.end(self._sender)

    def check_declared(self, cap_bytes: int | None = None) -> None:
        """Refuse by Content-Length, before a byte is read. Raises PayloadTooLarge."""
        cap = min(self.cap_bytes, cap_bytes or self.cap_bytes)
        if (self.declared_bytes or 0) > cap + self._room_bytes:
            raise PayloadTooLarge(f"{self.declared_bytes} bytes declared, {cap} allowed")

    async def receive(self) -> Message:
        """The next ASGI message. Raises PayloadTooLarge; InvalidRequest when the sender stalls;
        RateLimited when it was too slow for a crowd."""
        if self.is_complete:
            return await self._receive()  # the client may stay as long as it likes
        if self._sender.cut_off is not None:
            raise self._sender.cut_off
        now = asyncio.get_running_loop().time()
        # A photo must be whole before its slot's time is over; every other body within this.
        left_s = self._arrived_at + BODY_SECONDS - now
        try:
            async with asyncio.timeout(min(settings.UPLOAD_IDLE_SECONDS, left_s)) as timeout:
                with reception.watch(self._sender, timeout):
                    message = await self._receive()
        except TimeoutError as exc:
            stalled = UploadStalled("the sender stalled in the middle of its body")
            raise self._sender.cut_off or stalled from exc
        return self._count(message)

    def _count(self, message: Message) -> Message:
        if message["type"] == "http.request":
            size_bytes = self._keep_head(message.get("body", b""))
            self.taken_bytes += size_bytes
            if self.taken_bytes > self.cap_bytes + self._room_bytes:
                raise PayloadTooLarge(f"more than {self.cap_bytes} bytes sent")
            self.is_complete = not message.get("more_body", False)
            if self.is_complete:
                self.close()  # whole: it makes room for nobody any more
            else:
                reception.take(self._sender, size_bytes)
        return message

    def _keep_head(self, chunk: bytes) -> int:
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
        return len(chunk)

    async def receive_nothing(self) -> Message:
        """Show Django an empty body first, so that it reads nothing of the real one."""
        if self._is_shown_empty:
            return await self.receive_for_django()
        self._is_shown_empty = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def iter_chunks(self) -> AsyncIterator[bytes]:
        """The body, chunk by chunk. Raises what ``receive`` raises, and ClientGone."""
        try:
            while not self.is_complete:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone("the booth hung up while it sent the photo")
                # Whoever stalls holds nothing of what has been read already.
                if body := [message.pop("body", b"")]:
                    yield body.pop()
        finally:
            self._is_released.set()

    async def receive_for_django(self) -> Message:
        """For Django, beside a view with ``iter_chunks``: wait for it, then for a disconnect."""
        if not self._is_released.is_set():
            await self._is_released.wait()
        if not self.is_complete:
            return await asyncio.Future()  # refused before its end: nothing more of it will be read
        while (message := await self._receive())["type"] == "http.request":
            pass  # an empty body's one message, which nobody had to read
        return message

    async def drain(self) -> None:
        """Read the rest of the body for a moment after a refusal.

        A client that is still writing when the connection closes may lose the answer to a reset;
        so may a front server, which then answers 502. A body within the cap is read to its end.
        """
        if self.is_complete or (self.has_waiting_sender and not self.taken_bytes):
            return
        declared = self.declared_bytes or 0
        left = max(DRAIN_BYTES, declared if declared <= self.cap_bytes + self._room_bytes else 0)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0:
                    message = await self._receive()
                    left -= self._keep_head(message.get("body", b""))
                    if message["type"] != "http.request" or not message.get("more_body"):
                        return
        except TimeoutError:
            return


NoteRefusal = Callable[[Scope, AppError], None]
# How large a request's body may be, 0 where it is not read; raises AppError where none is due.
FindCap = Callable[[Scope], int]


def allow_upload(scope: Scope) -> int:
    return settings.MAX_UPLOAD_MB * 1024 * 1024


class BodyLimit:
    """Refuse bodies that are too large or stall; pass a photo's unread body to its view.

    ``note_refusal`` is called for each that no view has seen. The view finds the body in
    ``scope[BODY_KEY]`` (see ``photochanger.request_scope``).
    """

    def __init__(
        self,
        app: App,
        note_refusal: NoteRefusal = lambda scope, error: None,
        *,
        find_cap: FindCap = allow_upload,
    ) -> None:
        self.app, self._note_refusal, self._find_cap = app, note_refusal, find_cap

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope[ARRIVED_KEY] = asyncio.get_running_loop().time()
        body = RequestBody(scope, receive, cap_bytes=SMALL_BODY_BYTES)
        scope[HEAD_KEY] = body.head
        sender = ResponseSender(body, send, is_for_booth=scope["path"].startswith(BOOTH_PATHS))
        body.open()
        try:
            is_unread = not body.is_complete and not self._allow(body, scope)
            body.check_declared()
            if is_unread:
                django_receive = body.receive_nothing
            elif takes_photo(scope["path"]) and scope["method"] == "POST":
                scope[BODY_KEY] = body
                django_receive = body.receive_nothing
            else:
                django_receive = body.receive
            await self.app(scope, django_receive, sender.send)
        except AppError as exc:  # raised outside any view: Django was still reading the body
            if sender.is_started:
                raise
            self._note_refusal(scope, exc)
            await sender.refuse(exc, language=_client_language(scope))
        except OSError as exc:  # of Django, which spools a body of more than 2.5 MB to disk
            if sender.is_started:
                raise
            error = StorageError(f"a body cannot be spooled: {exc.strerror}")
            await sender.refuse(error, language=_client_language(scope))
        finally:
            body.close()
        return None

    def _allow(self, body: RequestBody, scope: Scope) -> bool:
        """Set the body's cap; False when it is answered unread."""
        cap_bytes = self._find_cap(scope)
        body.cap_bytes = cap_bytes or allow_upload(scope)
        return bool(cap_bytes)


class ResponseSender:
    """Send the response; close the connection cleanly when the body was not read to its end."""

    def __init__(self, body: RequestBody, send: Send, *, is_for_booth: bool = False) -> None:
        self._body, self._send, self._is_for_booth = body, send, is_for_booth
        self.is_started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            if self._is_for_booth:
                metrics.count_booth_response(message["status"])
            if not self._body.is_complete:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last and not self._body.is_complete:
            await self._send({**message, "more_body": True})
            await self._body.drain()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def refuse(self, error: AppError, *, language: str) -> None:
        metrics.count_refusal(status=error.status, reason=error.reason)
        content = json.dumps(error.to_json(language), ensure_ascii=False).encode()
        headers = {
            **error.headers,
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


def _client_language(scope: Scope) -> str:
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    return negotiate_language(accepted)
