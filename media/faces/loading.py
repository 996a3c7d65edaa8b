"""The engine of this process, made when it is first asked for, or the reason why there is none."""

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from media.faces.memory import give_memory_back

if TYPE_CHECKING:
    from media.faces.engine import Engine

log = structlog.get_logger()

FINDER, DESCRIBER = "centerface.onnx", "facenet.onnx"
# SHA-256 of what ``make faces`` makes of the pinned packages, the same on every machine.
MODEL_SUMS = {
    FINDER: "7d3db98f20b064962c0f4acc3a36af98a9d5a461de660da5594e33bd5362b167",
    DESCRIBER: "f299e993b2ce9a386fd4bd9249063e117f0030d31c046d8a4e5c674059920bd9",
}


_lock = threading.Lock()
_engines: dict[str, "Engine | None"] = {}


class NoEngine(Exception):
    """Faces cannot be looked at here; the words say why."""


def are_models_there(folder: str) -> bool:
    """Whether the files are there; whether they are the right ones is seen when they are read."""
    return bool(folder) and all((Path(folder) / name).is_file() for name in MODEL_SUMS)


def load_engine(folder: str) -> "Engine | None":
    """The two nets of a folder. None, said once in the log, where they cannot be had.

    Blocking, 0.5 s the first time: onnxruntime is imported, and its nets take 80 MB.
    """
    with _lock:
        if folder not in _engines:
            _engines[folder] = _make_or_explain(folder)
            give_memory_back()
        return _engines[folder]


def is_engine_absent(folder: str) -> bool:
    """Whether the engine was asked for and is not to be had."""
    return folder in _engines and _engines[folder] is None


def _make_or_explain(folder: str) -> "Engine | None":
    try:
        return _make_engine(folder)
    except (NoEngine, OSError, ImportError) as exc:
        log.warning("faces.engine.absent", detail=f"people are not counted: {exc}")
    except Exception as exc:  # of onnxruntime, which has many
        detail = f"people are not counted: {type(exc).__name__}"
        log.warning("faces.engine.absent", detail=detail)
    return None


def _make_engine(folder: str) -> "Engine":
    if not are_models_there(folder):
        raise NoEngine("the models are not installed (make faces)")
    files = [Path(folder) / name for name in MODEL_SUMS]
    for file in files:
        check_sum(file)
    from media.faces.engine import Engine  # numpy and onnxruntime: 40 MB that many need not have

    return Engine(*files)


def check_sum(file: Path) -> None:
    """Raises NoEngine for a file that ``make faces`` has not made, or OSError."""
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != MODEL_SUMS[file.name]:
        raise NoEngine(f"{file.name} is damaged or of another version (make faces)")
