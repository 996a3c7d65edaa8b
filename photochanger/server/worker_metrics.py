"""One set of figures for all workers of one gunicorn: its hooks, for `gunicorn.conf.py`.

Each worker counts in files of its own, in a folder of this master's; whichever worker is asked
adds all of them up. The files are named by a number, which a worker inherits from one that is
gone, and goes on counting in its files: named by process ids, they would be more with every worker
that is replaced, and each scrape would read all of them.
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

    To be called before the first counter is made. A master that reads its settings again keeps
    its folder; one that takes over from another has its own.
    """
    values.ValueClass = values.MultiProcessValue(lambda: _own_number)
    # In memory: on a busy disk a counter would wait, and the event loop with it.
    place = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    # With the host: containers that share a folder all have the same few process ids.
    prefix = f"photochanger-metrics-{socket.gethostname()}-"
    for folder_of_another in place.glob(f"{prefix}*-*"):
        if not _is_alive(folder_of_another.name.removeprefix(prefix).partition("-")[0]):
            shutil.rmtree(folder_of_another, ignore_errors=True)  # it was killed
    folder = tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=place)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _is_alive(process_id: str) -> bool:
    if not process_id.isdecimal():
        return True  # no folder of ours
    if int(process_id) == os.getpid():
        return False  # an earlier one's, whose id we have now
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _remove(folder: str, master: int) -> None:
    if os.getpid() == master:  # its workers inherit this, and end before it
        shutil.rmtree(folder, ignore_errors=True)


def pre_fork(server: Any, worker: Any) -> None:
    """Of two that live at once, as while a new worker takes over, each has its own number."""
    taken = {living.metrics_number for living in server.WORKERS.values()}
    # Some systems clear shared memory when the user who started us logs out.
    os.makedirs(start(), mode=0o700, exist_ok=True)
    worker.metrics_number = next(number for number in count(1) if number not in taken)
    multiprocess.mark_process_dead(worker.metrics_number)


def post_fork(server: Any, worker: Any) -> None:
    global _own_number
    _own_number = str(worker.metrics_number)


def child_exit(server: Any, worker: Any) -> None:
    """What it counted stays; what it held at that moment is gone with it."""
    multiprocess.mark_process_dead(worker.metrics_number)
