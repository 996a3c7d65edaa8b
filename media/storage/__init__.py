"""The only module that touches file storage, on whichever backend the settings name.

Blocking unless it says async. Whatever a storage raises is a FileNotFoundError or a StorageError
here; the latter's text is for operators and holds no key.
"""

import asyncio
import contextlib
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, ParamSpec, Protocol, Self, TypeVar, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from photochanger.errors import StorageError
from photochanger.threads.executor import LimitedExecutor

P = ParamSpec("P")
R = TypeVar("R")

CHUNK_BYTES, REMOTE_CHUNK_BYTES = 256 * 1024, 1024 * 1024
# A disk or a bucket that hangs keeps a step no longer than its request may wait; the thread is left
# behind, and photos that need no file go on.
STEP_LIMIT_S, THREADS = 10.0, 8
_threads = LimitedExecutor(
    "files", threads=THREADS, spares=THREADS, limit_s=STEP_LIMIT_S, make_error=StorageError
)
# Runs one step that reads or writes files off the event loop. Raises StorageError in time.
in_threads = _threads.run
# A pool of its own: a slow bucket may delay guests who download, but never a photo.
_remote_readers = ThreadPoolExecutor(16, thread_name_prefix="storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    path: str
    size_bytes: int
    modified_at: datetime


class Backend(Protocol):
    """What a storage adds to Django's own methods."""

    is_local: bool

    def warm_up(self) -> None: ...
    def save(self, name: str, content: "ContentFile[bytes]") -> str: ...
    def delete(self, name: str) -> None: ...
    def delete_empty_folder(self, name: str) -> None: ...
    def open_at(self, name: str, *, start: int, length: int | None) -> IO[bytes]: ...
    def iter_files(self, prefix: str) -> Iterator[StoredFile]: ...


_backend = cast(Backend, default_storage)  # made when it is first used


def is_local() -> bool:
    """Whether reading is cheap enough to happen on the event loop."""
    return _backend.is_local


def warm_up() -> None:
    """Connect now, so that the first photo does not wait for it. Raises nothing."""
    _backend.warm_up()


def write(path: str, body: bytes) -> None:
    """Store ``body`` under exactly ``path``; the file is complete and synced when this returns.

    A file that exists already is not touched on a disk, and replaced in a bucket: ``path`` must be
    new (hold a fresh UUID), or be written twice with the same content only.
    About 8 ms for 2 MB on a disk. Raises StorageError, and then nothing is left behind.
    """
    with _translate_errors(path):
        stored = _backend.save(path, ContentFile(body))
    if stored != path:
        _backend.delete(stored)
        raise StorageError(f"{path} exists already")


@contextlib.contextmanager
def write_or_undo(path: str, body: bytes) -> Iterator[None]:
    """File first, row second: store the file, and delete it again if the block fails."""
    write(path, body)
    try:
        yield
    except BaseException:
        remove(path)
        raise


@contextlib.asynccontextmanager
async def write_or_undo_async(path: str, body: bytes) -> AsyncIterator[None]:
    """``write_or_undo`` with the blocking work in threads."""
    await in_threads(write, path, body)
    try:
        yield
    except BaseException:
        await in_threads(remove, path)
        raise


def remove(path: str) -> None:
    """Delete a file, and its own folder if that is empty now; a missing file is fine.

    Never a folder that photos share: another photo may be about to write into it.
    Raises OSError, StorageError.
    """
    _backend.delete(path)
    _backend.delete_empty_folder(path)


def read(path: str) -> bytes:
    """Raises FileNotFoundError, StorageError."""
    with open_file(path) as file:
        return file.read()


def open_file(path: str) -> IO[bytes]:
    """The file to read and to seek in. Raises FileNotFoundError, StorageError."""
    remote = _open_at(path, start=0, length=None)
    if is_local():
        return remote
    with remote, contextlib.ExitStack() as on_failure:
        local: IO[bytes] = on_failure.enter_context(
            tempfile.SpooledTemporaryFile(max_size=settings.UPLOAD_SPOOL_BYTES)
        )
        with _translate_errors(path):
            shutil.copyfileobj(remote, local, CHUNK_BYTES)
            local.seek(0)
        on_failure.pop_all()
    return local


def iter_files(prefix: str = "") -> Iterator[StoredFile]:
    """All files whose path begins with ``prefix``, unordered, not all held in memory.

    Also half-written ones, which a crash may have left. Raises StorageError.
    """
    with _translate_errors(prefix):
        yield from _backend.iter_files(prefix)


async def open_chunks(path: str, *, start: int = 0, length: int | None = None) -> "Chunks":
    """A file in large chunks, or ``length`` bytes of it from ``start`` on.

    Opened before this returns: raises FileNotFoundError, StorageError before anything is sent.
    """
    if is_local():
        return Chunks(_open_at(path, start=start, length=length), length, is_local=True)
    opening = asyncio.get_running_loop().run_in_executor(
        _remote_readers, partial(_open_at, path, start=start, length=length)
    )
    try:
        file = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_abandoned)
        raise
    return Chunks(file, length, is_local=False)


def iter_chunks(file: IO[bytes]) -> "Chunks":
    """The chunks of a file that ``open_file`` has opened."""
    return Chunks(file, None, is_local=True)


def _open_at(path: str, *, start: int, length: int | None) -> IO[bytes]:
    with _translate_errors(path):
        return _backend.open_at(path, start=start, length=length)


@contextlib.contextmanager
def _translate_errors(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise StorageError(f"{what}: {exc.strerror or exc}") from exc


def _close_abandoned(opening: "asyncio.Future[IO[bytes]]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Chunks:
    """An async iterator over an open file, which it closes at the end or when it is cancelled.

    A disk is read on the event loop on purpose: the bytes come from the page cache, and a thread
    hop per chunk made downloads three times slower. Remote storage is read in threads.
    """

    def __init__(self, file: IO[bytes], length: int | None, *, is_local: bool) -> None:
        self._file, self._left, self._is_local = file, length, is_local
        self._read_lock = threading.Lock()
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = self._read() if self._is_local else await self._read_in_thread()
        except BaseException:
            self.close()
            raise
        if not piece:
            self.close()
            raise StopAsyncIteration
        return piece

    async def _read_in_thread(self) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(_remote_readers, self._read)

    def _read(self) -> bytes:
        size = CHUNK_BYTES if self._is_local else REMOTE_CHUNK_BYTES
        if self._left is not None:
            size = min(size, self._left)
        with self._read_lock, _translate_errors("while reading a file"):
            piece = b"" if self._is_closed else self._file.read(size)
        if self._is_closed:  # the guest hung up meanwhile, and close() did not wait
            self.close()
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Never blocks: while a thread reads, that thread closes the file."""
        self._is_closed = True
        if self._read_lock.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._read_lock.release()

    async def aclose(self) -> None:
        self.close()
