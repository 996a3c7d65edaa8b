"""Where files live, on whichever storage the settings name: the one door of the product to them.

Blocking unless it says async. Whatever a storage raises is a FileNotFoundError or a StorageError
here; the latter's text is for operators and holds no key.
"""

import asyncio
import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, Protocol, Self, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from photochanger.errors import StorageError

CHUNK_BYTES, DISTANT_CHUNK_BYTES = 256 * 1024, 1024 * 1024
# Threads of their own: a slow bucket may hold up guests who download, but never a photo.
_distant_readers = ThreadPoolExecutor(16, thread_name_prefix="storage")


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
    def every_file(self, prefix: str) -> Iterator[StoredFile]: ...


def _backend() -> Backend:
    return cast(Backend, default_storage)


def is_local() -> bool:
    """Reading is so cheap that it may happen on the event loop."""
    return _backend().is_local


def warm_up() -> None:
    """What the first photo would wait for otherwise. Raises nothing."""
    _backend().warm_up()


def write(path: str, body: bytes) -> None:
    """Store ``body`` under exactly ``path``; the file is whole and safe when this returns.

    About 8 ms for 2 MB on a disk. Raises StorageError, and then nothing stays behind.
    """
    with _told_as_ours(path):
        stored = _backend().save(path, ContentFile(body))
    if stored != path:
        _backend().delete(stored)
        raise StorageError(f"{path} exists already")


def remove(path: str) -> None:
    """Delete a file, and its own folder if that is empty now; a file that is gone is fine.

    Never a folder that photos share: another one may be about to put its own in there.
    Raises OSError, StorageError.
    """
    _backend().delete(path)
    _backend().delete_empty_folder(path)


def read(path: str) -> bytes:
    """Raises FileNotFoundError, StorageError."""
    with open_file(path) as file:
        return file.read()


def open_file(path: str) -> IO[bytes]:
    """The file to read and to seek in. Raises FileNotFoundError, StorageError."""
    distant = _open_at(path, start=0, length=None)
    if is_local():
        return distant
    with distant, contextlib.ExitStack() as if_it_breaks_off:
        near: IO[bytes] = if_it_breaks_off.enter_context(
            tempfile.SpooledTemporaryFile(max_size=settings.UPLOAD_SPOOL_BYTES)
        )
        with _told_as_ours(path):
            shutil.copyfileobj(distant, near, CHUNK_BYTES)
            near.seek(0)
        if_it_breaks_off.pop_all()
    return near


def every_file(prefix: str = "") -> Iterator[StoredFile]:
    """All files whose path begins so, in no promised order, without holding them all in memory.

    Half-written ones too, which a crash may have left. Raises StorageError.
    """
    with _told_as_ours(prefix):
        yield from _backend().every_file(prefix)


async def open_chunks(path: str, *, start: int = 0, length: int | None = None) -> "Chunks":
    """A file in large pieces, or ``length`` bytes of it from ``start`` on.

    It is open when this returns: raises FileNotFoundError, StorageError before anything is sent.
    """
    if is_local():
        return Chunks(_open_at(path, start=start, length=length), length, is_local=True)
    opening = asyncio.get_running_loop().run_in_executor(
        _distant_readers, partial(_open_at, path, start=start, length=length)
    )
    try:
        file = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    return Chunks(file, length, is_local=False)


def _open_at(path: str, *, start: int, length: int | None) -> IO[bytes]:
    with _told_as_ours(path):
        return _backend().open_at(path, start=start, length=length)


@contextlib.contextmanager
def _told_as_ours(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise StorageError(f"{what}: {exc.strerror or exc}") from exc


def _close_late(opening: "asyncio.Future[IO[bytes]]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Chunks:
    """An async iterator over an open file, which it closes at the end or when it is cancelled.

    A disk is read on the event loop on purpose: the bytes come from the page cache, and a thread
    hop per piece made downloads three times slower. Anything farther away is read in threads.
    """

    def __init__(self, file: IO[bytes], length: int | None, *, is_local: bool) -> None:
        self._file, self._left, self._is_local = file, length, is_local
        self._reading = threading.Lock()
        self._is_over = False

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
        return await asyncio.get_running_loop().run_in_executor(_distant_readers, self._read)

    def _read(self) -> bytes:
        size = CHUNK_BYTES if self._is_local else DISTANT_CHUNK_BYTES
        if self._left is not None:
            size = min(size, self._left)
        with self._reading, _told_as_ours("in the middle of a file"):
            piece = b"" if self._is_over else self._file.read(size)
        if self._is_over:  # the guest hung up meanwhile, and close() could not wait
            self.close()
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Never waits: while a thread reads, it is that thread which closes."""
        self._is_over = True
        if self._reading.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._reading.release()

    async def aclose(self) -> None:
        self.close()
