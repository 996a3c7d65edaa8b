"""Connections opened ahead: TCP and TLS to a provider while a booth's photo is still arriving.

A first call after a pause would pay two or three round trips for them in the guest's time. What is
opened and not used waits for the next photo, and is never taken for good without a look.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx
import structlog

log = structlog.get_logger()

KEEP_S = 20.0  # front servers close connections that ask nothing after 60 s and more
MAX_AHEAD = 4  # whoever posts nonsense cannot make us open more
OPEN_TIMEOUT_S = 10.0
ESTABLISHED = 1  # of Linux' TCP_INFO


@dataclass(eq=False, slots=True)
class Ahead:
    """One connection that is being opened, or waits for a call."""

    origin: httpcore.Origin
    opening: "asyncio.Task[httpcore.AsyncNetworkStream]"
    began_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def is_fit(self) -> bool:
        if not self.opening.done():
            return True
        if self.opening.cancelled() or self.opening.exception():
            return False
        age_s = asyncio.get_running_loop().time() - self.began_at
        return age_s < KEEP_S and _is_open(self.opening.result())

    async def close(self) -> None:
        self.opening.cancel()
        with suppress(Exception, asyncio.CancelledError):
            await (await self.opening).aclose()


class AheadBackend(httpcore.AsyncNetworkBackend):
    """httpcore's way to the network, which first looks at what was opened ahead."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._network = httpcore.AnyIOBackend()
        self._tls = tls
        self._waiting: list[Ahead] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if stream := await self._take(host, port):
            return stream
        return await self._network.connect_tcp(host, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    def find(self, host: str, port: int) -> list[Ahead]:
        """Those that may still serve a call; the others are dropped."""
        for ahead in [ahead for ahead in self._waiting if not ahead.is_fit]:
            self._drop(ahead)
        where = host.encode(), port
        return [ahead for ahead in self._waiting if (ahead.origin.host, ahead.origin.port) == where]

    def open(self, origin: httpcore.Origin) -> None:
        if len(self._waiting) < MAX_AHEAD:
            task = asyncio.create_task(self._connect(origin))
            self._waiting.append(Ahead(origin, task))

    async def close(self) -> None:
        waiting, self._waiting = self._waiting, []
        for ahead in waiting:
            await ahead.close()

    def _drop(self, ahead: Ahead) -> None:
        self._waiting.remove(ahead)
        closing = asyncio.create_task(ahead.close())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)

    async def _take(self, host: str, port: int) -> httpcore.AsyncNetworkStream | None:
        """One that is open, else one that soon is: it began earlier than another would."""
        fit = self.find(host, port)
        if not fit:
            return None
        ahead = min(fit, key=lambda ahead: not ahead.opening.done())
        self._waiting.remove(ahead)
        try:
            return await ahead.opening
        except (httpcore.NetworkError, httpcore.TimeoutException, OSError, ssl.SSLError) as exc:
            log.info("provider.ahead.failed", host=host, error=type(exc).__name__)
            return None  # the call opens its own, and says what is wrong

    async def _connect(self, origin: httpcore.Origin) -> httpcore.AsyncNetworkStream:
        host = origin.host.decode()
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            stream = await self._network.connect_tcp(host, origin.port, OPEN_TIMEOUT_S)
            if origin.scheme != b"https":
                return stream
            self._tls.set_alpn_protocols(["http/1.1"])  # as httpcore does for its own
            return ReadyStream(await stream.start_tls(self._tls, host, OPEN_TIMEOUT_S))


# asyncio keeps only weak references to tasks.
_closing: set["asyncio.Task[None]"] = set()


class ReadyStream(httpcore.AsyncNetworkStream):
    """A stream whose TLS is there already when httpcore asks for it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return self._stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Connections:
    """One event loop's connections to the services: httpx's pool, and those opened ahead."""

    def __init__(self, tls: ssl.SSLContext, limits: httpx.Limits) -> None:
        self.transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)
        self._backend = AheadBackend(tls)
        self._photos: Counter[str] = Counter()
        # httpx passes no backend on. Its own pool has opened nothing yet.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=self._backend,
        )
        self.transport._pool = self._pool

    @contextmanager
    def expect_call(self, url: str) -> Iterator[None]:
        """While a photo is in the house there are as many connections as photos, used or not."""
        origin = make_origin(url)
        name = str(origin)
        self._photos[name] += 1
        try:
            if self._count(origin) < self._photos[name]:
                self._backend.open(origin)
            yield
        finally:
            self._photos[name] -= 1

    def _count(self, origin: httpcore.Origin) -> int:
        """Those in use, idle ones that the service has not closed, and those opened ahead."""
        pooled = sum(
            not (connection.is_closed() or connection.has_expired())
            for connection in self._pool.connections
            if connection.can_handle_request(origin)
        )
        return pooled + len(self._backend.find(origin.host.decode(), origin.port))

    async def close(self) -> None:
        await self._backend.close()


def make_origin(url: str) -> httpcore.Origin:
    address = httpx.URL(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    return httpcore.Origin(address.scheme.encode(), address.raw_host, port)


def _is_open(stream: httpcore.AsyncNetworkStream) -> bool:
    """Whether the far end has not hung up. Tickets of TLS may lie there unread, so that being
    readable says nothing; where the system does not tell, the age has to do."""
    sock = stream.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_INFO"):
        return True
    try:
        return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED)
    except OSError:
        return False
