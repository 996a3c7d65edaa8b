"""Temporary files are written and closed in threads of their own, since their disk may hang.

Whoever waits for a write hears of it in time, and the thread is left behind. What needs no file
runs elsewhere and goes on.
"""

import io
import tempfile
import threading
from contextlib import ExitStack, suppress
from functools import cache
from queue import SimpleQueue
from typing import IO

import structlog

from photochanger.errors import StorageError
from photochanger.threads.executor import LimitedExecutor
from photochanger.threads.time_limit import choose_end, limit_waits

log = structlog.get_logger()

STEP_LIMIT_S, THREADS = 8.0, 4
MOVE_LIMIT_S = 2.0  # it can as well stay where it is


def _make_error(detail: str) -> StorageError:
    return StorageError(f"the disk of temporary files hangs: {detail}")


_threads = LimitedExecutor(
    "temporary files",
    threads=THREADS,
    spares=THREADS,
    limit_s=STEP_LIMIT_S,
    make_error=_make_error,
)
# Runs one step that writes there. Raises StorageError in time.
write_in_threads = _threads.run


async def move_to_disk(file: IO[bytes]) -> IO[bytes]:
    """What lies in memory, for a long wait; ``file`` itself where the disk is full or hangs."""
    if not isinstance(file, io.BytesIO):
        return file
    body = file.getvalue()  # its own bytes: a thread that hangs must not read the file any more
    try:
        with limit_waits(choose_end(MOVE_LIMIT_S)):
            moved = await write_in_threads(_write, body)
    except StorageError as exc:
        log.warning("files.temporary.kept_in_memory", detail=str(exc))
        return file
    file.close()
    return moved


def _write(body: bytes) -> IO[bytes]:
    try:
        with ExitStack() as on_failure:
            file = on_failure.enter_context(tempfile.TemporaryFile())
            file.write(body)
            file.flush()
            on_failure.pop_all()
    except OSError as exc:
        raise StorageError(f"no temporary file can be written: {exc.strerror}") from exc
    return file


def close_soon(file: IO[bytes]) -> None:
    """Close a file on that disk, which writes what is left and frees its blocks. Never blocks."""
    if isinstance(file, io.BytesIO):
        file.close()  # it does not wait for others to be closed
    else:
        _start_closing().put(file)


@cache
def _start_closing() -> SimpleQueue[IO[bytes]]:
    files: SimpleQueue[IO[bytes]] = SimpleQueue()
    threading.Thread(target=_close_all, args=[files], name="closing", daemon=True).start()
    return files


def _close_all(files: SimpleQueue[IO[bytes]]) -> None:
    while True:
        try:
            with suppress(OSError):  # on a full disk it would try once more to write the rest
                files.get().close()
        except Exception:  # a bug in here must not leave all later files open
            log.exception("files.temporary.close_failed")
