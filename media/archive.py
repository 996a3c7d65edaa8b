"""All results of a slot in one ZIP: streamed, its length known before its first byte."""

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
from media.deletion import clear_away
from media.models import MediaObject
from media.services import visible_results
from photochanger.db import in_db

log = structlog.get_logger()

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipOf:
    """A ZIP to be sent with ``Content-Length: size_bytes``; ``chunks`` may be read once."""

    name: str
    files: int
    size_bytes: int
    chunks: AsyncIterator[bytes]


class Entry(NamedTuple):
    job_id: uuid.UUID
    path: str
    size_bytes: int


def zip_of(slot_id: str, *, since: datetime | None = None, until: datetime | None = None) -> ZipOf:
    """The kept results of a slot, stored from ``since`` on and before ``until``; no test runs.

    Pictures do not shrink, so they are stored as they are, and the length is exact. A file that
    vanishes while the ZIP is sent breaks the connection off, so that the browser reports a failed
    download rather than keep a damaged one; its row is marked, and the next try goes without it.
    """
    results = visible_results(slot_id).order_by("created_at")
    results = results.filter(created_at__gte=since) if since else results
    results = results.filter(created_at__lt=until) if until else results
    archive, reading = ZipStream(sized=True), list[Entry]()
    files = 0
    for media in results.iterator():
        assert media.job_id is not None
        entry = Entry(media.job_id, media.path, media.size_bytes)
        archive.add(_pieces(entry, reading), file_name(media), size=media.size_bytes)
        files += 1
    return ZipOf(
        name=f"{slot_id}_{_local(timezone.now())}.zip",
        files=files,
        size_bytes=len(archive),
        chunks=_sent(archive, reading),
    )


def file_name(media: MediaObject) -> str:
    """Readable, and sorted by time: ``slot-001_2026-11-22_19-31-05_0b5e6a1c.jpg``."""
    extension = media.path.rpartition(".")[2]
    job = str(media.job_id)[:8]
    return f"{media.slot_id}_{_local(media.created_at)}_{job}.{extension}"


def _local(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d_%H-%M-%S}"


def _pieces(entry: Entry, reading: list[Entry]) -> Iterator[bytes]:
    reading[:] = [entry]
    with storage.open_file(entry.path) as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


async def _sent(archive: ZipStream, reading: list[Entry]) -> AsyncIterator[bytes]:
    """In a thread, piece by piece: reading and checksums must not delay photos."""
    pieces = iter(archive)
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    except FileNotFoundError:
        lost = reading[0]
        log.error("media.archive.broke_off", job=str(lost.job_id))
        await in_db(clear_away, lost.job_id)
        raise
