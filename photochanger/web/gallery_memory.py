"""Answer a gallery's address for a moment with what was answered before, before Django.

To make such a page costs some milliseconds of the event loop, on which booths' photos wait: whoever
asks for an open gallery in a loop would keep them waiting. So each page is made once for everybody
while what it was made from is fresh, and no more than ``MADE_PER_S`` are made, whatever is asked.
"""

import asyncio
import io
import re
import time
from collections.abc import Hashable
from dataclasses import dataclass

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import parse_etags

from media.links import find_links
from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.edge.download_throttle import has_body
from photochanger.edge.language import negotiate_language
from photochanger.request_scope import FRESH_UNTIL_KEY

PATH = re.compile(r"/public/slots/[^/]+(/slideshow)?(/qr\.svg)?")
# A hall asks for a few different ones a second: slots, forms, languages.
MADE_PER_S = 40
PATIENCE_S = 5.0  # with a turn that others hold; a database that hangs must not queue all phones
IF_CHANGED = b"if-none-match"
OF_A_BODY = (b"content-length", b"content-type")


@dataclass(frozen=True, slots=True)
class Page:
    """A whole answer with 200, the same for whoever asks."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    fresh_until: float  # time.monotonic()

    @property
    def etag(self) -> str:
        return dict(self.headers).get(b"etag", b"").decode("latin-1")


class GalleryMemory:
    """Answer the pages that are remembered; let Django make the others, one after another."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._pages: dict[Hashable, Page] = {}
        self._turn, self._next_at = asyncio.Lock(), 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _read_plain_request(scope)
        if request is None:
            return await self.app(scope, receive, send)
        try:
            key = _name_page(request)
        except (SuspiciousOperation, BadRequest):  # Django's to refuse
            return await self.app(scope, receive, send)
        if page := self._find(key):
            return await _send_all(_answer(page, request), send)
        if not await self._take_turn():
            return await self.app(scope, receive, send)
        try:
            page = self._find(key)  # somebody may have made it meanwhile
            messages = _answer(page, request) if page else await self._make(key, request, receive)
        finally:
            self._turn.release()
        return await _send_all(messages, send)

    def _find(self, key: Hashable) -> Page | None:
        page = self._pages.get(key)
        return page if page is not None and time.monotonic() < page.fresh_until else None

    async def _take_turn(self) -> bool:
        """Whether it came within ``PATIENCE_S``."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._turn.acquire()
        except TimeoutError:
            return False

    async def _make(self, key: Hashable, request: ASGIRequest, receive: Receive) -> list[Message]:
        """Django's answer, kept until the turn is over: a slow phone must not hold the turn."""
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic()))
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        # Without conditions: a page is made, whoever has it already.
        headers = [(name, value) for name, value in request.scope["headers"] if name != IF_CHANGED]
        scope = {**request.scope, "headers": headers}
        await self.app(scope, receive, keep)
        self._next_at = time.monotonic() + 1 / MADE_PER_S
        if FRESH_UNTIL_KEY not in scope or not messages or messages[0].get("status") != 200:
            return messages
        return _answer(self._remember(key, scope[FRESH_UNTIL_KEY], messages), request)

    def _remember(self, key: Hashable, fresh_until: float, messages: list[Message]) -> Page:
        now = time.monotonic()
        self._pages = {key: page for key, page in self._pages.items() if now < page.fresh_until}
        body = b"".join(message.get("body", b"") for message in messages[1:])
        headers = [(name.lower(), value) for name, value in messages[0]["headers"]]
        page = Page(headers, body, fresh_until)
        self._pages[key] = page
        return page


def _read_plain_request(scope: Scope) -> ASGIRequest | None:
    """A request for a gallery, as Django will read it; None for what is none."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    if not PATH.fullmatch(scope["path"]) or has_body(scope):
        return None
    return ASGIRequest(scope, io.BytesIO())


def _name_page(request: ASGIRequest) -> Hashable:
    """All that an answer depends on. Raises what Django refuses a request with."""
    language = negotiate_language(request.headers.get("Accept-Language", ""))
    form = request.GET.get("format", "html")
    return request.method, request.path, form, language, find_links(request)


def _answer(page: Page, request: ASGIRequest) -> list[Message]:
    status, headers, body = 200, page.headers, page.body
    if page.etag and page.etag in parse_etags(request.headers.get("If-None-Match", "")):
        status, body = 304, b""
        headers = [(name, value) for name, value in headers if name not in OF_A_BODY]
    elif request.method == "HEAD":
        body = b""
    return [
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]


async def _send_all(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)
