"""Connections of one small server, in this process: who waits, and who is turned away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

from django.test import SimpleTestCase
from uvicorn.config import Config
from uvicorn.server import ServerState

from photochanger.server import limits, turns
from photochanger.server.gate import Gate
from photochanger.server.protocol import EdgeProtocol
from photochanger.testing.waiting import wait_until_async

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TurnTests(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(turns, "gate", Gate(1)))
        self.begun, self.taken_bytes = list[str](), 0

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        if scope["path"] == "/page":
            await self.may_answer.wait()
        if scope["method"] == "POST" and scope["path"] == "/page":
            while (message := await receive()).get("more_body"):
                self.taken_bytes += len(message["body"])
            self.taken_bytes += len(message["body"])
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        self.may_answer = asyncio.Event()
        config, state = Config(self.app, interface="asgi3", log_config=None), ServerState()
        config.load()
        self.server = await asyncio.get_running_loop().create_server(
            lambda: EdgeProtocol(config, state, {}), "127.0.0.1"
        )
        async with self.server:
            yield

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> Client:
        reader, writer = await asyncio.open_connection(*self.server.sockets[0].getsockname()[:2])
        head = "\r\n".join((f"{line} HTTP/1.1", "Host: x", *headers, "", ""))
        writer.write(head.encode() + body)
        return reader, writer

    async def read_status(self, client: Client) -> int:
        reader, _writer = client
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def ask_for_page(self) -> Client:
        before = len(turns.gate) + len(self.begun)
        client = await self.ask("GET /page")
        await wait_until_async(lambda: len(turns.gate) + len(self.begun) > before)
        return client

    async def test_pages_wait_while_photos_and_monitors_go_on(self) -> None:
        async with self.serve():
            pages = [await self.ask_for_page() for _ in range(3)]
            for line in ("GET /livez", "POST /ingest/slot-001", "POST //API/Ingest/slot-001"):
                self.assertEqual(await self.read_status(await self.ask(line)), 200)
            self.assertEqual(self.begun.count("/page"), 1)
            self.may_answer.set()
            for page in pages:
                self.assertEqual(await self.read_status(page), 200)

    async def test_where_no_connection_is_free_the_newest_that_waits_makes_room(self) -> None:
        with mock.patch.object(limits, "get_max_connections", lambda: 3):
            async with self.serve():
                pages = [await self.ask_for_page() for _ in range(3)]
                self.assertEqual(await self.read_status(await self.ask("GET /livez")), 200)
                self.assertEqual(await self.read_status(pages[2]), 429)
                self.may_answer.set()
                for page in pages[:2]:
                    self.assertEqual(await self.read_status(page), 200)

    async def test_whoever_hangs_up_waits_no_longer(self) -> None:
        async with self.serve():
            pages = [await self.ask_for_page() for _ in range(2)]
            pages[1][1].transport.abort()
            await wait_until_async(lambda: not len(turns.gate))
            self.may_answer.set()
            self.assertEqual(await self.read_status(pages[0]), 200)
            self.assertEqual(self.begun, ["/page"])

    async def test_a_body_waits_unread_and_is_whole_in_its_turn(self) -> None:
        size = 5_000_000
        async with self.serve():
            page = await self.ask_for_page()
            length = f"Content-Length: {size}"
            sender = await self.ask("POST /page", length, body=bytes(size))
            await wait_until_async(lambda: len(turns.gate) == 1)
            self.assertEqual(await self.read_status(await self.ask("GET /livez")), 200)
            self.may_answer.set()
            self.assertEqual(await self.read_status(page), 200)
            self.assertEqual(await self.read_status(sender), 200)
            self.assertEqual(self.taken_bytes, size)
