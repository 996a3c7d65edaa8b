"""All traffic to providers: one client per process, failures translated once."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from weakref import WeakKeyDictionary

import httpcore
import httpx
from django.conf import settings
from httpcore._async.http11 import AsyncHTTP11Connection

from photochanger.errors import BadResponse, ProviderAuth, ProviderConfig, ProviderNetwork
from providers.ahead import Connections
from providers.interim import limit_interim_answers
from providers.meanings import PROXY_IS_NO_SOCKS, PROXY_REFUSED
from providers.meanings import error_for_status as error_for_status
from providers.socks import NO_SOCKS, limit_greetings
from providers.traffic import make_extensions
from providers.unpacking import GZIP, unpack

READ_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 32 * 1024 * 1024  # a 4K picture in base64 is about 11 MB
# A million tiny pieces cost more than their bytes. Front servers send hundreds of them at a time,
# cut anew by the network; the first thousand pieces may be as small as they like.
SPARE_PIECES, LEAST_PIECE_BYTES = 1000, 64
PIECES_IN_A_ROW = 64  # read at once, 1-2 ms; then others have their turn
HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
# One client per event loop: production has one loop, tests have many.
_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient]" = WeakKeyDictionary()
_connections: "WeakKeyDictionary[asyncio.AbstractEventLoop, Connections]" = WeakKeyDictionary()
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=40, keepalive_expiry=60.0)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    cut: ProviderNetwork | None = None  # how the connection was lost in the middle of the body

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def require_whole(self) -> "Reply":
        """Raises ProviderNetwork."""
        if self.cut:
            raise self.cut
        return self


@cache
def _make_tls_context() -> ssl.SSLContext:
    """Made once: each bare client would spend 17 ms of blocked event loop on its own."""
    return httpx.create_ssl_context(trust_env=False)


def get_client() -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = _clients[loop] = _make_client()
    return client


def _make_client() -> httpx.AsyncClient:
    # A picture comes as 2.6 MB of JSON. httpcore would read it 64 KB at a time, each time through
    # six layers: 4 ms of the event loop per photo, and there is no public setting for it.
    assert httpcore.__version__.startswith("1.0."), "look for READ_NUM_BYTES in the new httpcore"
    AsyncHTTP11Connection.READ_NUM_BYTES = READ_BYTES
    limit_greetings()
    limit_interim_answers()
    transport = None
    if not settings.PROVIDER_PROXY_URL:
        connections = Connections(_make_tls_context(), LIMITS)
        _connections[asyncio.get_running_loop()] = connections
        transport = connections.transport
    return httpx.AsyncClient(
        verify=_make_tls_context(),
        transport=transport,
        trust_env=False,
        proxy=settings.PROVIDER_PROXY_URL or None,
        follow_redirects=False,
        # No session may join the calls of different slots and keys.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        # The caller's deadline bounds the whole call; these only find dead peers.
        timeout=httpx.Timeout(None, connect=10.0),
        limits=LIMITS,
    )


def warm_up() -> None:
    _make_tls_context()


async def close() -> None:
    """Close this loop's client; called when the server stops."""
    loop = asyncio.get_running_loop()
    if found := _clients.pop(loop, None):
        await found.aclose()
    if connections := _connections.pop(loop, None):
        await connections.close()


@contextmanager
def expect_call(url: str) -> Iterator[None]:
    """A photo for this service is arriving; unless a connection is there for it, one is opened now.

    Through a proxy nothing is opened ahead.
    """
    get_client()
    connections = _connections.get(asyncio.get_running_loop())
    with connections.expect_call(url) if connections and url else nullcontext():
        yield


async def post(
    url: str,
    *,
    headers: dict[str, str],
    content: AsyncIterable[bytes] | bytes,
    accepts_cut: bool = False,
) -> Reply:
    """POST and read the answer, at most ``MAX_ANSWER_BYTES``.

    With ``accepts_cut`` the end of a reply may be missing, which ``Reply.cut`` then says.

    Raises ProviderNetwork (retryable when the connection was never made), BadResponse, and for
    what an operator mistyped ProviderAuth and ProviderConfig. The caller evaluates the status:
    services explain themselves in the body.
    """
    check_headers(headers)
    with _translate_errors():
        reply = await _exchange("POST", url, headers, content, max_bytes=MAX_ANSWER_BYTES)
    return reply if accepts_cut else reply.require_whole()


async def get(
    url: str, *, max_bytes: int, timeout_s: float, headers: dict[str, str] | None = None
) -> Reply:
    """GET, without any header of ours for what a service has published; follows no redirect.

    Raises as ``post`` does; an answer that takes longer than ``timeout_s`` is ProviderNetwork.
    """
    check_headers(headers or {})
    try:
        with _translate_errors():
            async with asyncio.timeout(timeout_s):
                reply = await _exchange("GET", url, headers or {}, None, max_bytes=max_bytes)
    except TimeoutError as exc:
        raise ProviderNetwork(f"no whole answer within {timeout_s:g} s") from exc
    return reply.require_whole()


async def _exchange(
    method: str,
    url: str,
    headers: dict[str, str],
    content: AsyncIterable[bytes] | bytes | None,
    *,
    max_bytes: int,
) -> Reply:
    async with get_client().stream(
        method,
        url,
        # The raw bytes are counted while they come, so no decoder may stand in between.
        headers={"accept-encoding": "identity", **headers},
        content=content,
        extensions=make_extensions(),
    ) as response:
        body, cut = await _read(response, max_bytes=max_bytes)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity") or body.startswith(GZIP):
            body = await asyncio.to_thread(unpack, body, encoding, max_bytes=max_bytes)
        return Reply(response.status_code, response.headers, body, cut)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise the failures of httpx as ProviderErrors."""
    try:
        yield
    except httpx.ProxyError as exc:
        raise _explain_proxy(str(exc)) from exc
    except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
        raise ProviderNetwork(f"no connection: {_describe(exc)}", retryable=True) from exc
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
        raise ProviderConfig(f"not an address: {_describe(exc)}") from exc
    # A broken TLS record raises ssl.SSLError, which httpx does not wrap.
    except (httpx.HTTPError, ssl.SSLError) as exc:
        raise ProviderNetwork(f"connection lost: {_describe(exc)}") from exc


def _explain_proxy(words: str) -> ProviderConfig | ProviderNetwork:
    """A refused password is for an operator to mend; else the proxy may reach the service soon."""
    if words == NO_SOCKS:
        return ProviderConfig(PROXY_IS_NO_SOCKS)
    if re.search(r"\b407\b|password|authenticat|auth method", words, re.IGNORECASE):
        return ProviderConfig(PROXY_REFUSED)
    if re.search(r"\b403\b|not allowed", words, re.IGNORECASE):
        return ProviderConfig(
            f"the proxy of PROVIDER_PROXY_URL refuses this address: {words[:100]}"
        )
    return ProviderNetwork(f"the proxy has no connection: {words[:150]}", retryable=True)


def check_headers(headers: dict[str, str]) -> None:
    """Raises ProviderAuth for a key with a line break or a non-ASCII character in it.

    The library below would refuse it too, but with the key in its message.
    """
    for name, value in headers.items():
        if not HEADER_VALUE.fullmatch(value):
            raise ProviderAuth(f"header {name}: the key contains characters that no key has")


async def _read(
    response: httpx.Response, *, max_bytes: int
) -> tuple[bytes, ProviderNetwork | None]:
    """What came of the body, and the loss of the connection that ended it, if one did."""
    chunks, size = [], 0
    try:
        async for chunk in response.aiter_raw():
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise BadResponse(f"answer longer than {max_bytes} bytes")
            if len(chunks) > SPARE_PIECES + size // LEAST_PIECE_BYTES:
                raise BadResponse("the answer comes in too many pieces")
            if len(chunks) % PIECES_IN_A_ROW == 0:
                await asyncio.sleep(0)
    except (httpx.HTTPError, ssl.SSLError) as exc:
        cut = ProviderNetwork(f"connection lost: {_describe(exc)}")
        cut.__cause__ = exc
        return b"".join(chunks), cut
    return b"".join(chunks), None


def _describe(exc: Exception) -> str:
    return f"{type(exc).__name__} {exc}"[:200]
