"""Answers in tiny pieces: refused soon, and nobody waits for them meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from django.test import SimpleTestCase

from photochanger.errors import BadResponse, ProviderNetwork
from providers import http
from providers.http import PIECES_IN_A_ROW, SPARE_PIECES

OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TINY, END = b"1\r\na\r\n", b"0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@asynccontextmanager
async def serve(first: bytes, piece: bytes, count: int | None = None) -> AsyncIterator[str]:
    """A service that answers with ``first`` and then with pieces, without end if none is given."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            while count is None:
                writer.write(piece * 1000)
                await writer.drain()
            writer.write(piece * count + END)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def post(url: str) -> bytes:
    try:
        async with asyncio.timeout(60):
            return (await http.post(url, headers={}, content=b"{}")).body
    finally:
        await http.close()


class PieceTests(SimpleTestCase):
    async def test_a_body_of_tiny_pieces_is_refused(self) -> None:
        async with serve(OK, TINY) as url:
            with self.assertRaisesMessage(BadResponse, "too many pieces"):
                await post(url)

    async def test_a_body_of_a_few_tiny_pieces_is_read(self) -> None:
        async with serve(OK, TINY, SPARE_PIECES // 2) as url:
            self.assertEqual(await post(url), b"a" * (SPARE_PIECES // 2))

    async def test_a_large_body_in_pieces_of_a_front_server_is_read(self) -> None:
        async with serve(OK, b"400\r\n" + b"a" * 1024 + b"\r\n", 4000) as url:
            self.assertEqual(len(await post(url)), 4000 * 1024)

    async def test_others_have_their_turn_meanwhile(self) -> None:
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        count = SPARE_PIECES - 1
        async with serve(OK, TINY, count) as url:
            counting = asyncio.create_task(count_turns())
            await asyncio.sleep(0)
            before, body = turns, await post(url)
            counting.cancel()
        self.assertEqual(len(body), count)
        self.assertGreater(turns - before, count // PIECES_IN_A_ROW)

    async def test_answers_before_the_answer_have_an_end(self) -> None:
        async with serve(EARLY, EARLY) as url:
            with self.assertRaisesMessage(ProviderNetwork, "before the answer"):
                await post(url)

    async def test_a_few_of_them_are_passed_over(self) -> None:
        async with serve(EARLY * 3 + OK, TINY, 5) as url:
            self.assertEqual(await post(url), b"a" * 5)
