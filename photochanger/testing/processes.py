"""Starts the processes of sites; in test runs as forks of one that has imported for all of them.

A run starts hundreds, and each spends half of its start on packages of others. Those are what the
fork server of ``multiprocessing`` has imported (``preloaded.py``); settings, Django's apps and the
project are each process's own, read in the environment given, as in a fresh one. A fork ends with
the test process, however that ends.
"""

import atexit
import ctypes
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from photochanger.testing.databases import BASE_DIR

SIMULATOR = "providers.simulator"
# What an interpreter, its libraries or the loader read once, before any code of ours.
READ_AT_START = ("PYTHON", "LD_", "LANG", "LC_", "MALLOC_", "OPENSSL_", "SSL_", "FAKETIME", "TZ")
KNOWN = {"PYTHONUNBUFFERED", "LANG"}  # as in the fork server, or done by ``run_in_fork``
PR_SET_PDEATHSIG = 1

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["photochanger.testing.preloaded"])
_lock = threading.Lock()  # two who hear of one end: the second would hear something else
_are_used = False


class ForkedProcess:
    """Like ``subprocess.Popen``."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], files: Sequence[Path]):
        self._process = _forks.Process(
            target=run_in_fork, args=(command, dict(env), files), daemon=True
        )
        with _lock:
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        with _lock:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        wait([self._process.sentinel], timeout)
        if (ended := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return ended

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = ForkedProcess | subprocess.Popen[bytes]


def use_forks() -> None:
    """From here on ``start`` forks. The fork server comes with the first start."""
    global _are_used
    _are_used = sys.platform == "linux"


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    is_fresh: bool = False,
) -> Process:
    """A process in the project's folder that adds to these files; all to one unless both are given.

    ``is_fresh``: never a fork, whose memory is shared with others.
    """
    files = (output, errors or output)
    if _are_used and not is_fresh and _can_fork(command, env):
        return ForkedProcess(command, env, files)
    with files[0].open("ab") as out, files[1].open("ab") as err:
        return subprocess.Popen(command, cwd=BASE_DIR, env=dict(env), stdout=out, stderr=err)


def _can_fork(command: Sequence[str], env: Mapping[str, str]) -> bool:
    """Gunicorn forks by itself, and starts as in production."""
    python, *what = command[:3]
    is_known = what[:1] == ["manage.py"] or what in (["-m", "uvicorn"], ["-m", SIMULATOR])
    special = {name for name in env if name.startswith(READ_AT_START)} - KNOWN
    return python == sys.executable and is_known and not special


def run(
    command: Sequence[str], *, env: Mapping[str, str], timeout_s: float, is_fresh: bool = False
) -> tuple[int, str, str]:
    """The command's exit status, and what it wrote to standard output and error."""
    with TemporaryDirectory(prefix="pc-run-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = start(command, env=env, output=output, errors=errors, is_fresh=is_fresh)
        try:
            status = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return status, output.read_text(errors="replace"), errors.read_text(errors="replace")


def run_in_fork(command: Sequence[str], env: dict[str, str], files: Sequence[Path]) -> None:
    """In the fork: be the process that was asked for, as if freshly started."""
    from photochanger.testing import preloaded  # where it runs, it is

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # of the fork server
    test = multiprocessing.parent_process()
    if test is None or not test.is_alive():  # it ended before
        os._exit(1)
    for number, file in enumerate(files, 1):
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(handle, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(BASE_DIR)
    os.environ.clear()
    os.environ.update(env)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    sys.path[:] = [str(BASE_DIR), *preloaded.SEARCH_PATH]
    _python, what, *arguments = command
    try:
        if what == "-m":
            name, *arguments = arguments
            sys.argv = [name, *arguments]
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            sys.argv = [what, *arguments]
            _run_script(BASE_DIR / what)
    finally:  # multiprocessing leaves both out
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()


def _run_script(file: Path) -> None:
    """As Python does; ``runpy.run_path`` would name it otherwise."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = str(file)
    exec(compile(file.read_bytes(), file, "exec"), main.__dict__)
