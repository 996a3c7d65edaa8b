"""A stored picture over HTTP: whole, a byte range of it, or 304 if the guest has it already."""

import re
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

from media import storage
from media.download_memory import offer
from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import RangeNotSatisfiable

# Browsers never ask for more than one range at a time: such a request gets the whole file.
ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII | re.IGNORECASE)
REVALIDATE = "private, no-cache"  # asked for each time, so that a deleted picture is gone at once


class ByteRange(NamedTuple):
    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


async def serve_file(
    request: HttpRequest, media: MediaObject, *, disposition: str, cache_control: str
) -> HttpResponseBase:
    """GET or HEAD of a file. Raises FileNotFoundError, StorageError, RangeNotSatisfiable."""
    headers = {
        "Content-Disposition": disposition,
        "Cache-Control": cache_control,
        "ETag": format_etag(media),
        "Last-Modified": http_date(media.created_at.timestamp()),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        # A provider's bytes: whatever stands in them is a picture to a browser, never a page.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Robots-Tag": "noindex",
    }
    if settings.SENDFILE_PREFIX and storage.is_local():
        return await _respond_by_sendfile(media, headers)
    if not_modified := _check_not_modified(request, media, headers):
        return not_modified
    part = parse_range(request, media)
    first, length = (part.first, part.length) if part else (0, media.size_bytes)
    headers["Content-Length"] = str(length)
    if part:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{media.size_bytes}"
    chunks = await storage.open_chunks(media.path, start=first, length=length)
    if request.method == "HEAD":
        chunks.close()
        return HttpResponse(content_type=media.mime, headers=headers)
    if part is None:
        offer(request, media)
    status = 206 if part else 200
    return StreamingHttpResponse(chunks, status=status, content_type=media.mime, headers=headers)


async def _respond_by_sendfile(media: MediaObject, headers: dict[str, str]) -> HttpResponse:
    """The front server sends the file, and evaluates ranges and conditions itself."""
    (await storage.open_chunks(media.path)).close()  # raises FileNotFoundError
    headers["X-Accel-Redirect"] = f"{settings.SENDFILE_PREFIX.rstrip('/')}/{quote(media.path)}"
    return HttpResponse(content_type=media.mime, headers=headers)


def _check_not_modified(
    request: HttpRequest, media: MediaObject, headers: dict[str, str]
) -> HttpResponseBase | None:
    """The 304 for a guest who has the picture already.

    Its 412 is not used: a stored file never changes under its name, so that ``If-Match`` and
    ``If-Unmodified-Since`` hold for any validator that was ever sent.
    """
    response = get_conditional_response(
        request,
        etag=headers["ETag"],
        last_modified=int(media.created_at.timestamp()),
        response=HttpResponse(headers=headers),
    )
    return response if response is not None and response.status_code == 304 else None


def format_etag(media: MediaObject) -> str:
    return f'"{media.sha256 or media.pk.hex}"'


def format_cache_control(media: MediaObject, *, at_most_s: int) -> str:
    """Cache-Control for a file that may be shown again unasked, but not after it has expired."""
    left_s = at_most_s
    if media.expires_at is not None:
        left_s = int((media.expires_at - clock.now()).total_seconds())
    return f"private, max-age={max(0, min(at_most_s, left_s))}, must-revalidate"


def parse_range(request: HttpRequest, media: MediaObject) -> ByteRange | None:
    """The range asked for, None for the whole file. Raises RangeNotSatisfiable."""
    match = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or match is None or not _is_if_range_met(request, media):
        return None
    first, last = match.groups()
    size = media.size_bytes
    if not first:
        return _parse_suffix_range(int(last), size) if last else None
    if last and int(last) < int(first):
        return None  # not a range at all
    if int(first) >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)


def _parse_suffix_range(count: int, size: int) -> ByteRange:
    if not count or not size:
        raise RangeNotSatisfiable(size)
    return ByteRange(max(0, size - count), size - 1)


def _is_if_range_met(request: HttpRequest, media: MediaObject) -> bool:
    """``If-Range``: a range only if it continues the file that the guest began to download."""
    condition = request.headers.get("If-Range")
    if condition is None or condition == format_etag(media):
        return True
    return parse_http_date_safe(condition) == int(media.created_at.timestamp())
