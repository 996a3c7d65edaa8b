"""Real server processes, started and stopped as a machine would."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from photochanger.testing.processes import Process, start

START_TIMEOUT_S = 120.0
# Longer than any test's provider; a server that needs more has lost a photo or hangs.
STOP_TIMEOUT_S = 120.0


class WatchedProcess(psutil.Process):  # type: ignore[misc]  # psutil has no types
    """A process of ours: its end is told with its exit status, also where it is not our child."""

    def __init__(self, started: Process) -> None:
        super().__init__(started.pid)
        self._started = started

    def wait(self, timeout: float | None = None) -> int:
        return self._started.wait(timeout)

    def send_signal(self, number: int) -> None:
        self._started.send_signal(number)

    def terminate(self) -> None:
        self._started.terminate()

    def kill(self) -> None:
        self._started.kill()


@dataclass(frozen=True)
class Server:
    """A server process that has answered at least once."""

    url: str
    process: psutil.Process
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def tree(self) -> list[psutil.Process]:
        """The process and its workers."""
        return [self.process, *self.process.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Child processes that are alive at this moment."""
        return [process for process in self.process.children() if is_alive(process)]

    def rss_bytes(self) -> int:
        return sum(process.memory_info().rss for process in self.tree())

    def threads(self) -> int:
        return sum(process.num_threads() for process in self.tree())

    def cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self.tree())

    def open_bytes(self, folder: Path) -> int:
        """Bytes of the files the process holds in ``folder``, also of those already unlinked."""
        total = 0
        for process in self.tree():
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(OSError):  # closed since we listed it
                    if os.readlink(descriptor).startswith(f"{folder}/"):
                        total += descriptor.stat().st_size
        return total


def is_alive(process: psutil.Process) -> bool:
    """Neither gone nor waiting to be reaped."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def serving(
    command: Sequence[str],
    *,
    port: int,
    env: Mapping[str, str],
    log: Path,
    ready: str = "/",
    is_fresh: bool = False,
) -> Iterator[Server]:
    """Run a server until the block ends; it must answer ``ready`` first and stop on SIGTERM.

    ``is_fresh``: never a fork, whose memory is shared with others.
    """
    process = start(command, env=env, output=log, is_fresh=is_fresh)
    try:
        _wait_until_it_answers(process, port, ready, log)
        yield Server(f"http://127.0.0.1:{port}", WatchedProcess(process), log)
    finally:
        _stop(process, log)


def _wait_until_it_answers(process: Process, port: int, path: str, log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"server ended with {process.returncode}:\n{_tail(log)}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != http.client.SERVICE_UNAVAILABLE:  # it listens, and is not ready
                return
        time.sleep(0.05)
    raise RuntimeError(f"no answer in {START_TIMEOUT_S:.0f} s:\n{_tail(log)}")


def _stop(process: Process, log: Path) -> None:
    if process.poll() is not None:
        return
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        for member in (*family, process):
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
        raise AssertionError(f"SIGTERM did not stop the server:\n{_tail(log)}") from None


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def uvicorn_command(application: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1"),
        *("--port", str(port), "--no-access-log", "--no-server-header"),
    ]
