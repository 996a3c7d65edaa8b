"""Remember for a moment what a download's link leads to: after a show, hundreds open the same few.

Looking a link up costs a request three times what sending 2 MB costs: middleware, routing, a thread
hop and a query. What was answered is answered again for ``REMEMBERED_S``, before Django; the file
itself is opened each time, so that a deleted one is gone at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from media import storage
from media.downloads.counting import count_download
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import StorageError
from photochanger.request_scope import get_scope

REMEMBERED_S = 2.0
MAX_LINKS = 500
PATHS = "/public/results/"
SCOPE_KEY = "photochanger.download"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Any, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Download:
    """A whole file that was answered with 200: the same bytes and headers for whoever asks."""

    media: MediaObject
    headers: list[tuple[bytes, bytes]]
    until: float  # in the event loop's time

    @property
    def is_kept_by_guest(self) -> bool:
        """Rather than shown on a page."""
        return dict(self.headers).get(b"content-disposition", b"").startswith(b"attachment")


_remembered: dict[tuple[str, bytes], Download] = {}


def offer(request: HttpRequest, media: MediaObject) -> None:
    """Called where a whole file is about to be answered: it may be remembered."""
    get_scope(request)[SCOPE_KEY] = media


def forget_downloads() -> None:
    """Called when something is deleted or expires early."""
    _remembered.clear()


class DownloadMemory:
    """Answer downloads that are remembered, and note those that Django answers."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
        if not _is_plain_download(scope):
            return await self.app(scope, receive, send)
        key, now = (scope["path"], scope["query_string"]), asyncio.get_running_loop().time()
        known = _remembered.get(key)
        if known is not None and now < known.until:
            try:
                chunks = await storage.open_chunks(known.media.path)
            except (FileNotFoundError, StorageError):
                _remembered.pop(key, None)  # Django says what has become of it
            else:
                if known.is_kept_by_guest:
                    count_download(known.media)
                return await _send_file(known, chunks, send)

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start" and SCOPE_KEY in scope:
                _remember(key, scope[SCOPE_KEY], message, now)
            await send(message)

        return await self.app(scope, receive, send_and_note)


def _is_plain_download(scope: MutableMapping[str, Any]) -> bool:
    """A whole file, asked for without conditions and without a body."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PATHS):
        return False
    special = (b"range", b"content-length", b"transfer-encoding", b"cookie")
    return not any(name in special or name.startswith(b"if-") for name, _ in scope["headers"])


def _remember(key: tuple[str, bytes], media: MediaObject, start: Message, now: float) -> None:
    if start["status"] != 200 or not storage.is_local():
        return
    left_s = REMEMBERED_S
    if media.expires_at is not None:
        left_s = min(left_s, (media.expires_at - clock.now()).total_seconds())
    if len(_remembered) >= MAX_LINKS:
        _remembered.clear()
    _remembered[key] = Download(media, list(start["headers"]), now + left_s)


async def _send_file(download: Download, chunks: storage.Chunks, send: Send) -> None:
    try:
        await send({"type": "http.response.start", "status": 200, "headers": download.headers})
        async for piece in chunks:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    finally:
        chunks.close()
