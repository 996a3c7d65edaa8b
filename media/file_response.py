"""A stored picture over HTTP: whole or in part, unless the guest has it already.

A stored file never changes under its name, so that its validators never do either; ``If-Match``
and ``If-Unmodified-Since``, which ask for exactly that, need no look.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from media import storage
from media.models import MediaObject
from photochanger.errors import RangeNotSatisfiable

# More than one part at a time is never asked for by browsers: such a request gets the whole file.
ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII | re.IGNORECASE)
ASK_EACH_TIME = "private, no-cache"  # kept by the guest's phone only; a deleted one is gone at once


class Part(NamedTuple):
    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


async def file_answer(
    request: HttpRequest, media: MediaObject, *, disposition: str, cache_control: str
) -> HttpResponseBase:
    """GET or HEAD of a file. Raises FileNotFoundError, StorageError, RangeNotSatisfiable."""
    headers = {
        "Content-Disposition": disposition,
        "Cache-Control": cache_control,
        "ETag": etag_of(media),
        "Last-Modified": http_date(media.created_at.timestamp()),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    if settings.SENDFILE_PREFIX and storage.is_local():
        return await _handed_off(media, headers)
    if has_it_already(request, media):
        return _bare(304, {name: headers[name] for name in KEPT_BY_304})
    part = wanted_part(request, media)
    first, length = (part.first, part.length) if part else (0, media.size_bytes)
    headers["Content-Length"] = str(length)
    if part:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{media.size_bytes}"
    chunks = await storage.open_chunks(media.path, start=first, length=length)
    if request.method == "HEAD":
        chunks.close()
        return HttpResponse(content_type=media.mime, headers=headers)
    status = 206 if part else 200
    return StreamingHttpResponse(chunks, status=status, content_type=media.mime, headers=headers)


KEPT_BY_304 = ("Cache-Control", "ETag", "Last-Modified")


async def _handed_off(media: MediaObject, headers: dict[str, str]) -> HttpResponse:
    """The front server sends the file, and looks at ranges and conditions itself."""
    (await storage.open_chunks(media.path)).close()  # it is there
    headers["X-Accel-Redirect"] = f"{settings.SENDFILE_PREFIX.rstrip('/')}/{quote(media.path)}"
    return HttpResponse(content_type=media.mime, headers=headers)


def _bare(status: int, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(status=status, headers=headers)
    del response["Content-Type"]
    return response


def etag_of(media: MediaObject) -> str:
    return f'"{media.sha256 or media.pk.hex}"'


def fresh_for(media: MediaObject, *, at_most_s: int) -> str:
    """Cache-Control for a file that may be shown again unasked, but never after its time."""
    left_s = at_most_s
    if media.expires_at is not None:
        left_s = int((media.expires_at - timezone.now()).total_seconds())
    return f"private, max-age={max(0, min(at_most_s, left_s))}, must-revalidate"


def has_it_already(request: HttpRequest, media: MediaObject) -> bool:
    """An ETag is exact and outweighs the date, which is good to a second only."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        tags = [tag.removeprefix("W/") for tag in parse_etags(known)]
        return tags == ["*"] or etag_of(media) in tags
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(media.created_at.timestamp()) <= since


def wanted_part(request: HttpRequest, media: MediaObject) -> Part | None:
    """The part asked for, None for the whole file. Raises RangeNotSatisfiable."""
    found = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or found is None or not _is_for_this_file(request, media):
        return None
    first, last = found.groups()
    size = media.size_bytes
    if not first:
        return _the_last(int(last), size) if last else None
    if last and int(last) < int(first):
        return None  # not a range at all
    if int(first) >= size:
        raise RangeNotSatisfiable.of(size)
    return Part(int(first), min(int(last), size - 1) if last else size - 1)


def _the_last(count: int, size: int) -> Part:
    if not count or not size:
        raise RangeNotSatisfiable.of(size)
    return Part(max(0, size - count), size - 1)


def _is_for_this_file(request: HttpRequest, media: MediaObject) -> bool:
    """``If-Range``: only if the part fits what the guest has of the file."""
    condition = request.headers.get("If-Range")
    if condition is None or condition == etag_of(media):
        return True
    return parse_http_date_safe(condition) == int(media.created_at.timestamp())
