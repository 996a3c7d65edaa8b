"""Rows that could not be closed because the database was away: written as soon as it is back.

Each is kept as a file beside the pictures, so that neither a long outage nor the end of the process
loses what became of a photo; in memory until that is stored. Whoever comes first writes it: this
process when the database answers, the next start of a server, or cleanup.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import structlog
from asgiref.sync import ThreadSensitiveContext
from django.db import DataError, IntegrityError, connection
from django.db import Error as AnyDatabaseError

from ingest.pipeline.closing import Closing
from media import storage
from photochanger.db import in_db
from photochanger.db.threads import make_database_threads
from photochanger.errors import StorageError

log = structlog.get_logger()

FOLDER = "closings/"
MAX_IN_MEMORY = 1000  # of about 3 kB each; more are only reached when the disk is away too
LOOK_EVERY_S, WRITE_LIMIT_S = 1.0, 20.0

_kept: dict[UUID, Closing] = {}  # those that have no file yet
_threads = make_database_threads("closings", limit_s=WRITE_LIMIT_S)


def keep_closing(closing: Closing) -> None:
    """For later. The booth has its answer already; nothing is waited for."""
    if len(_kept) >= MAX_IN_MEMORY:
        log.error("ingest.closing.lost", job=str(closing.job.pk))
        return
    _kept[closing.job.pk] = closing


def write_kept() -> bool:
    """Write what is kept, or else store it as files; returns whether nothing is left for later.

    Blocking. Raises StorageError, OSError when neither works.
    """
    try:
        for job_id, closing in list(_kept.items()):
            _write(closing)
            _kept.pop(job_id, None)
    except AnyDatabaseError as exc:
        log.warning("ingest.closing.not_written", detail=type(exc).__name__, count=len(_kept))
        _store_kept()
        return False
    return True


def _store_kept() -> None:
    for job_id, closing in list(_kept.items()):
        path = f"{FOLDER}{job_id}.json"
        storage.remove(path)
        storage.write(path, closing.to_json().encode())
        _kept.pop(job_id, None)


def settle_stored() -> int:
    """Write what files tell, of this process and of those that have ended; how many rows it closed.

    Blocking. Raises a database error, StorageError, OSError.
    """
    closed = 0
    for file in storage.iter_files(FOLDER):
        if file.path.endswith(".json"):  # and not one that is being written
            with suppress(FileNotFoundError):  # somebody else has just written its row
                closed += _settle(file.path)
    return closed


def _settle(path: str) -> bool:
    is_closed = False
    try:
        is_closed = _write(Closing.of_json(storage.read(path)))
    except ValueError:  # a disk that was full, or a stranger's file
        log.error("ingest.closing.unreadable", path=path)
    storage.remove(path)
    return is_closed


def _write(closing: Closing) -> bool:
    """False: another one was first, or the job never came to be, or its rows will never fit."""
    try:
        is_closed = closing.write()
    except (DataError, IntegrityError):  # it must not stand in the way of all others for ever
        log.exception("ingest.closing.refused", job=str(closing.job.pk))
        return False
    if is_closed:
        closing.report()
    return is_closed


class LateWriter:
    """Writes what is kept until it is stopped; at first what an earlier process has left."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._has_files = True

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_regularly())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._write_pending()

    async def _write_regularly(self) -> None:
        while True:
            await asyncio.shield(self._write_pending())
            await asyncio.sleep(LOOK_EVERY_S)

    async def _write_pending(self) -> None:
        if _kept and not await _try(write_kept):
            self._has_files = True
        elif self._has_files and await _try(settle_stored) is not None:
            self._has_files = False


async def _try(step: Callable[[], bool | int]) -> bool | int | None:
    """None: it failed, and is tried again."""
    async with ThreadSensitiveContext(executor=_threads):
        try:
            return await in_db(_run_and_disconnect, step)
        except (AnyDatabaseError, StorageError, OSError) as exc:
            log.warning("ingest.closing.failed", detail=type(exc).__name__)
        except Exception:  # a bug in here must not end the writing for ever
            log.exception("ingest.closing.crashed")
    return None


def _run_and_disconnect(step: Callable[[], bool | int]) -> bool | int:
    try:
        return step()
    finally:
        connection.close()
