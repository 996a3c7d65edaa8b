"""The links: a process that paces and delays the bytes between booth, servers and provider.

Rates and delays are those of the link, whatever the number of its connections; a connection's
set-up costs a round trip. There is no slow start and no loss, so real links cost more.
`python -m photochanger.bench.links.relay` reads one order as JSON per line and answers each.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import uvloop

from photochanger.bench.links.places import Link

CHUNK_BYTES = 16 * 1024
AHEAD_S = 0.02  # of a lane's time may be read before it is sent, as a socket's buffer would
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Lane:
    """One direction of a link: its bytes leave one after the other and arrive a while later."""

    def __init__(self) -> None:
        self.bytes_per_s = 0.0  # 0: no limit
        self.delay_s = 0.0
        self.is_free_at = 0.0

    def set(self, megabits: float, delay_s: float) -> None:
        """Also for the connections that are there."""
        self.bytes_per_s, self.delay_s = megabits * 1e6 / 8, delay_s

    def book(self, size: int, now: float) -> float:
        """When the last of ``size`` bytes arrives."""
        takes_s = size / self.bytes_per_s if self.bytes_per_s else 0.0
        self.is_free_at = max(now, self.is_free_at) + takes_s
        return self.is_free_at + self.delay_s


class Lanes:
    """Both directions of a link, and who uses it now."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.up, self.down = Lane(), Lane()
        self.connections: set[asyncio.StreamWriter] = set()

    def set(self, link: Link) -> None:
        self.up.set(link.up, link.one_way_ms / 1000)
        self.down.set(link.down, link.one_way_ms / 1000)

    def cut(self) -> None:
        """As a far end does that has waited long enough: both sides see their connection end."""
        for writer in list(self.connections):
            writer.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.connections |= {writer, far_writer}
        handshake_s = self.up.delay_s + self.down.delay_s
        try:
            await asyncio.gather(
                pump(reader, far_writer, self.up, after_s=handshake_s),
                pump(far_reader, writer, self.down),
            )
        except OSError:
            pass  # a side hung up, which is its right
        finally:
            self.connections -= {writer, far_writer}
            for side in (writer, far_writer):
                side.close()


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lane: Lane, *, after_s: float = 0
) -> None:
    """Carry everything until the sender's end, which is carried too."""
    loop = asyncio.get_running_loop()
    not_before = loop.time() + after_s
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    arriving = asyncio.create_task(deliver(under_way, writer))
    try:
        while chunk := await reader.read(CHUNK_BYTES):
            under_way.put_nowait((lane.book(len(chunk), max(not_before, loop.time())), chunk))
            await asyncio.sleep(lane.is_free_at - AHEAD_S - loop.time())
        under_way.put_nowait((loop.time() + lane.delay_s, b""))
        await arriving
    finally:
        arriving.cancel()


async def deliver(
    under_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, chunk = await under_way.get()
        await asyncio.sleep(due - loop.time())
        if not chunk:
            # TLS knows no half-closed connection; one that is closed already raises RuntimeError.
            with suppress(OSError, NotImplementedError, RuntimeError):
                writer.write_eof()
            return
        writer.write(chunk)
        await writer.drain()


async def serve(orders: asyncio.StreamReader) -> None:
    """An order opens lanes, sets a link, or cuts connections."""
    opened: dict[str, Lanes] = {}
    while line := await orders.readline():
        order: dict[str, Any] = json.loads(line)
        for name, ports in order.get("open", {}).items():
            opened[name] = Lanes(*ports)
            await asyncio.start_server(opened[name].carry, "127.0.0.1", opened[name].port)
        for name, link in order.get("links", {}).items():
            opened[name].set(Link(*link))
        for name in order.get("cut", ()):
            opened[name].cut()
        if tls := order.get("tls"):
            await end_tls(**tls)
        print("done", flush=True)


async def end_tls(*, port: int, target: int, certificate: str) -> None:
    """What stands before a provider: it speaks TLS, and passes on at once what it reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    await asyncio.start_server(Lanes(port, target).carry, "127.0.0.1", port, ssl=context)


async def main() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    await serve(orders)


if __name__ == "__main__":
    uvloop.run(main())
