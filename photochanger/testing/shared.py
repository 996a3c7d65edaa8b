"""What all workers of one test run use and one of them makes: migrated databases, static files."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

# The folder of the run: set before the workers start, so that they inherit it.
VARIABLE = "PHOTOCHANGER_TEST_RUN"


def open_run() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pc-run-"))
    os.environ[VARIABLE] = str(folder)
    return folder


def close_run() -> None:
    shutil.rmtree(run_folder(), ignore_errors=True)


def run_folder() -> Path:
    """That of the test run; a process outside any, as the benchmark, has one of its own."""
    if VARIABLE not in os.environ:
        open_run()
        atexit.register(close_run)
    return Path(os.environ[VARIABLE])


def make_once(name: str, make: Callable[[Path], None]) -> Path:
    """The path ``name`` in the run's folder, made by the first who asks; the others wait."""
    path = run_folder() / name
    done = path.with_name(f"{name}.done")
    with path.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(path)
            done.touch()
    return path
