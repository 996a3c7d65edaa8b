"""Connections are opened while a photo is on its way: seen by a TLS server that counts them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from django.test import SimpleTestCase

from photochanger.testing.certificates import tls_pair
from photochanger.testing.waiting import wait_until_async
from providers.ahead import MAX_AHEAD, Connections
from providers.http import LIMITS

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Service:
    """Answers every request with two bytes, over connections that it keeps."""

    def __init__(self) -> None:
        self.open: list[asyncio.StreamWriter] = []
        self.opened = self.requests = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open.append(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.open.remove(writer)

    async def hang_up(self) -> None:
        for writer in list(self.open):
            writer.transport.abort()
        await wait_until_async(lambda: not self.open)


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None) -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield service
    finally:
        await service.hang_up()
        server.close()


class AheadTests(SimpleTestCase):
    @asynccontextmanager
    async def reaching(
        self, *, is_tls: bool = True
    ) -> AsyncIterator[tuple[Service, Connections, httpx.AsyncClient]]:
        server_side, client_side = tls_pair()
        connections = Connections(client_side, LIMITS)
        async with (
            serving(server_side if is_tls else None) as service,
            httpx.AsyncClient(transport=connections.transport, trust_env=False) as client,
        ):
            yield service, connections, client
            await connections.close()

    async def test_the_call_takes_what_was_opened_while_the_photo_arrived(self) -> None:
        for is_tls in (True, False):
            async with self.reaching(is_tls=is_tls) as (service, connections, client):
                with connections.expect_call(service.url):
                    await wait_until_async(lambda: service.opened == 1)  # noqa: B023
                    assert (await client.post(f"{service.url}/models")).text == "ok"
                assert (service.opened, service.requests) == (1, 1)

    async def test_a_call_that_comes_too_early_waits_for_what_is_being_opened(self) -> None:
        async with self.reaching() as (service, connections, client):
            with connections.expect_call(service.url):
                await client.post(service.url)
            assert service.opened == 1

    async def test_a_connection_that_is_there_is_enough(self) -> None:
        async with self.reaching() as (service, connections, client):
            await client.post(service.url)
            for _ in range(3):
                with connections.expect_call(service.url):
                    await client.post(service.url)
            assert (service.opened, service.requests) == (1, 4)

    async def test_a_refused_photo_leaves_its_connection_to_the_next(self) -> None:
        async with self.reaching() as (service, connections, client):
            with connections.expect_call(service.url):
                await wait_until_async(lambda: service.opened == 1)
            with connections.expect_call(service.url):
                await client.post(service.url)
            assert (service.opened, service.requests) == (1, 1)

    async def test_each_of_several_photos_has_one(self) -> None:
        async with self.reaching() as (service, connections, client):
            with connections.expect_call(service.url), connections.expect_call(service.url):
                await wait_until_async(lambda: service.opened == 2)
                await asyncio.gather(client.post(service.url), client.post(service.url))
            assert (service.opened, service.requests) == (2, 2)

    async def test_what_the_service_closed_meanwhile_is_not_taken(self) -> None:
        for is_tls in (True, False):
            async with self.reaching(is_tls=is_tls) as (service, connections, client):
                with connections.expect_call(service.url):
                    await wait_until_async(lambda: service.opened == 1)  # noqa: B023
                    await service.hang_up()
                    await client.post(service.url)
                assert (service.opened, service.requests) == (2, 1)

    async def test_nobody_makes_us_open_many(self) -> None:
        async with self.reaching() as (service, connections, client):
            for _ in range(MAX_AHEAD * 3):
                with connections.expect_call(service.url):
                    pass
            await wait_until_async(lambda: service.opened >= 1)
            await client.post(service.url)
            assert service.opened <= MAX_AHEAD

    async def test_where_nobody_answers_the_call_says_so(self) -> None:
        async with self.reaching() as (service, connections, client):
            url = service.url.replace("https://127.0.0.1", "https://127.0.0.2")
            with connections.expect_call(url), self.assertRaises(httpx.ConnectError):
                await client.post(url)
            with connections.expect_call(service.url):
                assert (await client.post(service.url)).text == "ok"
