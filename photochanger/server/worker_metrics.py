"""Metrics of all workers of one gunicorn, added up: hooks for `gunicorn.conf.py`.

Each worker counts in its own files in a folder of this master; the worker that is scraped adds up
all of them. The files are named by a number that a new worker inherits from a dead one. Named by
process ids, as prometheus_client does, there would be more with each replaced worker, and each
scrape would read them all (https://github.com/prometheus/client_python/issues/275).
"""

import atexit
import os
import shutil
import socket
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  ours is a new folder of a random name in it
_own_number = "master"


@cache
def start() -> str:
    """Count together from here on; returns the folder, for ``PROMETHEUS_MULTIPROC_DIR``.

    Call it before the first counter is made. A master that reloads its settings keeps its
    folder; one that takes over from another has its own.
    """
    values.ValueClass = values.MultiProcessValue(lambda: _own_number)
    # In memory: on a busy disk a counter would wait, and the event loop with it.
    place = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    # With the host name: containers that share a folder have the same few process ids.
    prefix = f"photochanger-metrics-{socket.gethostname()}-"
    for old_folder in place.glob(f"{prefix}*-*"):
        if not _is_alive(old_folder.name.removeprefix(prefix).partition("-")[0]):
            shutil.rmtree(old_folder, ignore_errors=True)  # it was killed
    folder = tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=place)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _is_alive(process_id: str) -> bool:
    if not process_id.isdecimal():
        return True  # not our folder
    if int(process_id) == os.getpid():
        return False  # an earlier one's, whose id we have now
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _remove(folder: str, master: int) -> None:
    if os.getpid() == master:  # its workers inherit this, and end before it
        shutil.rmtree(folder, ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Two workers alive at once, as during a replacement, have different numbers."""
    taken = {living.metrics_number for living in server.WORKERS.values()}
    # Some systems clear shared memory when the user who started us logs out.
    os.makedirs(start(), mode=0o700, exist_ok=True)
    worker.metrics_number = next(number for number in count(1) if number not in taken)
    multiprocess.mark_process_dead(worker.metrics_number)


def post_fork(server: Any, worker: Any) -> None:
    global _own_number
    _own_number = str(worker.metrics_number)


def child_exit(server: Any, worker: Any) -> None:
    """Its counters stay; its gauges of photos in progress are removed."""
    multiprocess.mark_process_dead(worker.metrics_number)
