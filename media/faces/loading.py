"""The engine of this process, made when it is first asked for, or the reason why there is none."""

from pathlib import Path
from typing import TYPE_CHECKING

from media.nets.loader import NetLoader

if TYPE_CHECKING:
    from media.faces.engine import Engine

FINDER, DESCRIBER = "centerface.onnx", "facenet.onnx"
# SHA-256 of what ``make faces`` makes of the pinned packages, the same on every machine.
SUMS = {
    FINDER: "7d3db98f20b064962c0f4acc3a36af98a9d5a461de660da5594e33bd5362b167",
    DESCRIBER: "f299e993b2ce9a386fd4bd9249063e117f0030d31c046d8a4e5c674059920bd9",
}


def _make_engine(files: list[Path]) -> "Engine":
    from media.faces.engine import Engine  # numpy and onnxruntime: 40 MB that many need not have

    return Engine(*files)


face_nets: "NetLoader[Engine]" = NetLoader(SUMS, _make_engine, lost="people are not counted")
