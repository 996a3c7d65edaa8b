"""The thin baseline: the least a server can do for one photo, on the same uvicorn.

Raw ASGI: multipart in, SHA-1 and base64 while it arrives, one call to the provider by a small
client of its own, decode, write, answer; and the same preview as the product, before the answer.
No database, no password, no checks. It is what "overhead" is compared with, never a server to run.
"""

import asyncio
import hashlib
import io
import os
import ssl
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
import pybase64
from multipart import MultipartSegment, PushMultipartParser, parse_options_header
from PIL import Image

Message = MutableMapping[str, Any]

PROVIDER = urlsplit(os.environ["GEMINI_BASE_URL"])
PROVIDER_AT = PROVIDER.hostname or "", PROVIDER.port or 80
PROVIDER_TLS = None
if PROVIDER.scheme == "https":
    PROVIDER_TLS = ssl.create_default_context(cafile=os.environ["BENCH_PROVIDER_CA"])
MEDIA_ROOT = Path(os.environ["MEDIA_ROOT"])
MAKES_PREVIEW = os.environ.get("BASELINE_PREVIEW", "1") == "1"
MODEL = "gemini-nano-banana-2.1"
BEFORE = b'{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/jpeg","data":"'
AFTER = (
    b'"}},{"text":"Keep the faces; make the background a beach."}]}],'
    b'"generationConfig":{"responseModalities":["IMAGE"]}}'
)
HEAD = (
    f"POST /v1beta/models/{MODEL}:generateContent HTTP/1.1\r\nhost: {PROVIDER.netloc}\r\n"
    f"x-goog-api-key: {os.environ['GEMINI_API_KEY']}\r\ncontent-type: application/json\r\n"
)


class Upload:
    """The file of the form, already base64 when its last byte is in."""

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1]["boundary"]
        self.parser = PushMultipartParser(boundary)
        self.sha1 = hashlib.sha1(usedforsecurity=False)
        self.pieces: list[bytes] = []
        self._is_file, self._rest = False, b""

    def feed(self, chunk: bytes) -> None:
        for event in self.parser.parse(chunk):
            if isinstance(event, MultipartSegment):
                self._is_file = event.name == "fileToUpload"
            elif event and self._is_file:
                self.sha1.update(event)
                data = self._rest + event
                whole = len(data) // 3 * 3
                self.pieces.append(pybase64.b64encode(data[:whole]))
                self._rest = bytes(data[whole:])

    def finish(self) -> list[bytes]:
        return [BEFORE, *self.pieces, pybase64.b64encode(self._rest), AFTER]


class Connection(asyncio.Protocol):
    """One keep-alive connection to the provider, one request at a time."""

    idle: list["Connection"] = []
    answer: asyncio.Future[bytes]

    def expect_answer(self) -> None:
        self.answer = asyncio.get_running_loop().create_future()
        self.received: list[bytes] = []
        self.missing, self.has_head, self.head = 0, False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self.received.append(data)
        self.missing -= len(data)
        if not self.has_head:
            head, separator, _ = b"".join(self.received).partition(b"\r\n\r\n")
            if not separator:
                return
            self.has_head, self.head = True, head.lower()
            length = int(self.head.split(b"content-length:")[1].split(b"\r\n")[0])
            self.missing += len(head) + 4 + length
        if self.missing <= 0 and not self.answer.done():
            self.answer.set_result(b"".join(self.received)[len(self.head) + 4 :])

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.idle:
            self.idle.remove(self)
        elif not self.answer.done():
            self.answer.set_exception(ConnectionError("provider hung up"))

    async def post(self, pieces: list[bytes]) -> bytes:
        self.expect_answer()
        head = f"{HEAD}content-length: {sum(map(len, pieces))}\r\n\r\n"
        self.transport.writelines([head.encode(), *pieces])
        body = await self.answer
        if b" 200 " not in self.head.split(b"\r\n")[0]:
            raise ConnectionError(f"provider answered {self.head[:40]!r}")
        return body


async def ask_provider(pieces: list[bytes]) -> bytes:
    if Connection.idle:
        connection = Connection.idle.pop()
    else:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, *PROVIDER_AT, ssl=PROVIDER_TLS)
    answer = await connection.post(pieces)
    Connection.idle.append(connection)
    return answer


def store_result(answer: bytes) -> bytes:
    """Decode the picture, write it, make the preview: what the product does in a thread too."""
    parts = orjson.loads(answer)["candidates"][0]["content"]["parts"]
    data = next(part["inlineData"]["data"] for part in parts if "inlineData" in part)
    picture = pybase64.b64decode(data)
    name = uuid.uuid4().hex
    write(MEDIA_ROOT / f"{name}.png", picture)
    if MAKES_PREVIEW:
        write(MEDIA_ROOT / f"{name}.webp", preview(picture))
    return picture


def write(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.rename(path)


def preview(picture: bytes) -> bytes:
    """The recipe of ``ingest.pipeline.result_check``; importing that would load Django here."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.reduce(max(1, max(image.size) // 512))
    image.thumbnail((512, 512), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    body = b"ok"
    if scope["method"] == "POST":
        upload = Upload(dict(scope["headers"])[b"content-type"].decode())
        more = True
        while more:
            message = await receive()
            upload.feed(message["body"])
            more = message["more_body"]
        body = await asyncio.to_thread(store_result, await ask_provider(upload.finish()))
    headers = [(b"content-type", b"image/png"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
