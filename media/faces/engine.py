"""Find and describe faces with two nets on onnxruntime.

Needs numpy and onnxruntime: import it only through ``media.faces.loading``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from media.faces.chip import cut_chip
from media.faces.face import Descriptor, Face
from media.nets.session import open_net

Floats = npt.NDArray[np.float32]

LOOK_AT_PX = 512  # longest side for finding; faces are described from up to twice as much
MOST_FACES = 40
OVERLAP = 0.3  # boxes that share more are of one face
CELL_PX = 4  # the finder's grid
MULTIPLE_PX = 32  # its pictures have sides that this divides


class Engine:
    """The two nets. One for each process, made after it was forked; any number of threads."""

    def __init__(self, finder: Path, describer: Path) -> None:
        """Blocking, 0.15 s. Raises onnxruntime's own errors for files that are no such nets."""
        self._finder = open_net(finder)
        self._describer = open_net(describer)

    def find_faces(self, image: Image.Image, *, least_score: float, describe: bool) -> list[Face]:
        """Every face in an RGB picture, the surest first.

        Blocking: 40-70 ms of one core, 9 ms more for each face that is described. Python's lock
        is free for nearly all of it.
        """
        rows = self._find(image, least_score)
        longest = max(image.size)
        return [
            Face(
                centre=(float(row.box[0] + row.box[2]) / 2, float(row.box[1] + row.box[3]) / 2),
                width=float(row.box[2] - row.box[0]),
                height=float(row.box[3] - row.box[1]),
                score=row.score,
                descriptor=self._describe(image, row.points * longest) if describe else None,
            )
            for row in rows
        ]

    def _find(self, image: Image.Image, least_score: float) -> list["_Found"]:
        scale = min(1.0, LOOK_AT_PX / max(image.size))
        width, height = (max(1, round(side * scale)) for side in image.size)
        small = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        heat, size, offset, marks = self._finder.run(None, {"input.1": _to_tensor(small)})
        rows, columns = np.where(heat[0, 0] > least_score)
        scores = heat[0, 0, rows, columns]
        high, wide = np.exp(size[0][:, rows, columns]) * CELL_PX
        left = (columns + offset[0, 1, rows, columns] + 0.5) * CELL_PX - wide / 2
        top = (rows + offset[0, 0, rows, columns] + 0.5) * CELL_PX - high / 2
        boxes = np.stack([left, top, left + wide, top + high], axis=1)
        longest = max(width, height)
        found = []
        for i in select_distinct(boxes, scores)[:MOST_FACES]:
            shares = marks[0][:, rows[i], columns[i]].reshape(5, 2)[:, ::-1]  # y comes first
            points = shares * [wide[i], high[i]] + boxes[i, :2]
            found.append(_Found(boxes[i] / longest, points / longest, float(scores[i])))
        return found

    def _describe(self, image: Image.Image, points: npt.NDArray[np.float64]) -> Descriptor:
        chip = cut_chip(image, points)
        both = np.stack([chip, chip[..., ::-1]])  # the mirror image steadies the figures
        [described] = self._describer.run(None, {"chip": both})
        return tuple(described.mean(axis=0).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A box (left, top, right, bottom) and five points, in shares of the longest side."""

    box: npt.NDArray[Any]
    points: npt.NDArray[Any]
    score: float


def _to_tensor(image: Image.Image) -> Floats:
    """RGB, 0-255, black to the right and below up to sides that the net takes."""
    width, height = (-(-side // MULTIPLE_PX) * MULTIPLE_PX for side in image.size)
    tensor = np.zeros((1, 3, height, width), np.float32)
    tensor[0, :, : image.height, : image.width] = np.asarray(image).transpose(2, 0, 1)
    return tensor


def select_distinct(boxes: npt.NDArray[Any], scores: npt.NDArray[Any]) -> list[int]:
    """Indices of the surest box of each heap of overlapping ones, the surest first."""
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    chosen: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        low = np.maximum(boxes[i, :2], boxes[chosen, :2])
        high = np.minimum(boxes[i, 2:], boxes[chosen, 2:])
        shared = (high - low).clip(0).prod(axis=1)
        if not (shared > OVERLAP * (areas[i] + areas[chosen] - shared)).any():
            chosen.append(int(i))
    return chosen
