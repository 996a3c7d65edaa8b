"""Fetch pictures from links, as Turbotext does, and record what each link returned."""

import asyncio
import io
import ssl
from functools import cache

import httpx
from PIL import Image

from providers.simulator.journal import Fetch

FETCH_S = 5.0
_LARGEST_BYTES = 25 * 1024 * 1024
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}  # the documents name no other
_HEADERS = {"user-agent": "Turbotext/1.0 (simulator)", "accept": "image/png, image/jpeg"}


class FetchFailed(Exception):
    """A link does not lead to a usable picture."""


async def fetch_all(links: dict[str, str]) -> tuple[list[bytes], list[Fetch]]:
    """Get the links by the names of their fields, at once; a failed one is an empty picture."""
    # A client of its own for each job: it belongs to the event loop that made it.
    async with httpx.AsyncClient(
        verify=_make_tls_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=FETCH_S,
        headers=_HEADERS,
    ) as client:
        fetched = await asyncio.gather(
            *(_fetch(client, Fetch(field, url)) for field, url in links.items())
        )
    return [body for body, _ in fetched], [fetch for _, fetch in fetched]


@cache
def _make_tls_context() -> ssl.SSLContext:
    # Not httpx's own bundle: the certificates of a test or of a company are in the system's
    # store, or where SSL_CERT_FILE says.
    return ssl.create_default_context()


async def _fetch(client: httpx.AsyncClient, fetch: Fetch) -> tuple[bytes, Fetch]:
    try:
        async with asyncio.timeout(FETCH_S):
            body = await _download(client, fetch)
        await asyncio.to_thread(_check_picture, body, fetch)
    except FetchFailed as exc:
        fetch.error = str(exc)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as exc:
        # UnicodeError: a host name that cannot be written in DNS. httpx lets it through.
        fetch.error = type(exc).__name__
    return (b"", fetch) if fetch.error else (body, fetch)


async def _download(client: httpx.AsyncClient, fetch: Fetch) -> bytes:
    chunks: list[bytes] = []
    async with client.stream("GET", fetch.url) as answer:
        fetch.status = answer.status_code
        fetch.mime = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if fetch.status != 200:
            raise FetchFailed(f"HTTP {fetch.status}")
        async for chunk in answer.aiter_bytes():
            chunks.append(chunk)
            fetch.size_bytes += len(chunk)
            if fetch.size_bytes > _LARGEST_BYTES:
                raise FetchFailed("the picture is too large")
    return b"".join(chunks)


def _check_picture(body: bytes, fetch: Fetch) -> None:
    """Decode the whole picture: half of a JPEG has a good header."""
    if fetch.mime not in _FORMATS:
        raise FetchFailed(f"Content-Type {fetch.mime[:80] or 'is missing'}")
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        raise FetchFailed("not a picture") from exc
    fetch.width, fetch.height = image.size
    if image.format != _FORMATS[fetch.mime]:
        raise FetchFailed(f"{image.format} declared as {fetch.mime}")
