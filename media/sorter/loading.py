"""The sorter of this process, made when it is first asked for, or the reason why there is none."""

from pathlib import Path
from typing import TYPE_CHECKING

from media.nets.loader import NetLoader

if TYPE_CHECKING:
    from media.sorter.engine import Sorter

SORTER = "open-nsfw.onnx"
SUMS = {SORTER: "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"}


def _make_sorter(files: list[Path]) -> "Sorter":
    from media.sorter.engine import Sorter  # numpy and onnxruntime: 40 MB that many need not have

    return Sorter(*files)


sorter_nets: "NetLoader[Sorter]" = NetLoader(
    SUMS, _make_sorter, lost="pictures wait for somebody's approval"
)
