"""What `make faces` has made: read once in a process, or its absence told once in the log."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from media.nets.memory import give_memory_back_when_idle

log = structlog.get_logger()

Engine = TypeVar("Engine")


class NoNet(Exception):
    """A net cannot be had here; the words say why."""


class NetLoader(Generic[Engine]):
    """What is made of the nets of a folder, when it is first asked for."""

    def __init__(
        self,
        sums: Mapping[str, str],
        make: Callable[[list[Path]], Engine],
        *,
        lost: str,
    ) -> None:
        """``sums``: SHA-256 by file name; ``lost`` goes to the log without the nets."""
        self._sums, self._make = sums, make
        self._lost = lost
        self._lock = threading.Lock()
        self._engines: dict[str, Engine | None] = {}

    def are_files_there(self, folder: str) -> bool:
        """Whether they are there; whether they are the right ones is seen when they are read."""
        return bool(folder) and all((Path(folder) / name).is_file() for name in self._sums)

    def load(self, folder: str) -> Engine | None:
        """None where they cannot be had. Blocking, at first 0.5 s: onnxruntime is imported."""
        with self._lock:
            if folder not in self._engines:
                self._engines[folder] = self._make_or_explain(folder)
                give_memory_back_when_idle()
            return self._engines[folder]

    def is_absent(self, folder: str) -> bool:
        """Whether they were asked for and are not to be had."""
        return folder in self._engines and self._engines[folder] is None

    def check_sums(self, folder: Path) -> list[Path]:
        """The files. Raises NoNet for one that ``make faces`` has not made, or OSError."""
        return [check_sum(folder / name, wanted) for name, wanted in self._sums.items()]

    def _make_or_explain(self, folder: str) -> Engine | None:
        try:
            if not self.are_files_there(folder):
                raise NoNet("the models are not installed (make faces)")
            return self._make(self.check_sums(Path(folder)))
        except (NoNet, OSError, ImportError) as exc:
            log.warning("nets.absent", detail=f"{self._lost}: {exc}")
        except Exception as exc:  # of onnxruntime, which has many
            log.warning("nets.absent", detail=f"{self._lost}: {type(exc).__name__}")
        return None


def check_sum(file: Path, wanted: str) -> Path:
    """The file itself. Raises NoNet when it is another one, or OSError."""
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != wanted:
        raise NoNet(f"{file.name} is damaged or of another version (make faces)")
    return file
