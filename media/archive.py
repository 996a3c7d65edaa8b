"""All results of a slot or an event in one ZIP: streamed, its exact length known beforehand."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import structlog
from django.utils import timezone
from zipstream import ZipStream

from media import storage
from media.deletion import expire_result
from media.models import MediaObject
from media.services import select_listed_results
from photochanger.db import in_db

log = structlog.get_logger()

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipDownload:
    """A ZIP to be sent with ``Content-Length: size_bytes``; ``chunks`` may be read once."""

    name: str
    files: int
    size_bytes: int
    chunks: AsyncIterator[bytes]


class Entry(NamedTuple):
    job_id: uuid.UUID
    path: str
    size_bytes: int


def build_zip(
    slot_id: str | None = None,
    *,
    event_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ZipDownload:
    """The listed results of a slot, an event or both, stored from ``since`` on and before
    ``until``; no test runs.

    Pictures do not compress, so they are stored as they are, and the length is exact. A file that
    vanishes while the ZIP is sent aborts the connection, so that the browser reports a failed
    download instead of saving a damaged archive; its row is expired, and the next try omits it.
    """
    results = select_listed_results(slot_id).order_by("created_at")
    results = results.filter(event_id=event_id) if event_id is not None else results
    results = results.filter(created_at__gte=since) if since else results
    results = results.filter(created_at__lt=until) if until else results
    archive, reading = ZipStream(sized=True), list[Entry]()
    files = 0
    for media in results.iterator():
        assert media.job_id is not None
        entry = Entry(media.job_id, media.path, media.size_bytes)
        archive.add(_read_pieces(entry, reading), format_file_name(media), size=media.size_bytes)
        files += 1
    return ZipDownload(
        name=f"{slot_id or f'event-{event_id}'}_{_format_local(timezone.now())}.zip",
        files=files,
        size_bytes=len(archive),
        chunks=_stream(archive, reading),
    )


def format_file_name(media: MediaObject) -> str:
    """Readable, and sorted by time: ``slot-001_2026-11-22_19-31-05_0b5e6a1c.jpg``."""
    extension = media.path.rpartition(".")[2]
    job = str(media.job_id)[:8]
    return f"{media.slot_id}_{_format_local(media.created_at)}_{job}.{extension}"


def _format_local(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d_%H-%M-%S}"


def _read_pieces(entry: Entry, reading: list[Entry]) -> Iterator[bytes]:
    reading[:] = [entry]
    with storage.open_file(entry.path) as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


async def _stream(archive: ZipStream, reading: list[Entry]) -> AsyncIterator[bytes]:
    """In a thread, chunk by chunk: reading and checksums must not delay photos."""
    pieces = iter(archive)
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    except FileNotFoundError:
        lost = reading[0]
        log.error("media.archive.aborted", job=str(lost.job_id))
        await in_db(expire_result, lost.job_id)
        raise
