"""Cut a face out of a picture, upright and in the size that the face net was trained on."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

CHIP_PX = 150
# Where eyes, nose and corners of the mouth lie in a chip.
PLACES = np.array([[47.3, 47.8], [102.8, 47.4], [74.1, 78.3], [51.1, 102.4], [98.2, 100.9]])
MEAN_COLOUR = np.array([122.782, 117.001, 104.298], np.float32)
COLOUR_RANGE = 256
COARSE = 2.0  # px of the picture in one of the chip, from which it is shrunk before it is turned


def cut_chip(image: Image.Image, points: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The face whose five points are given in px of the picture: 3 x 150 x 150, about 0."""
    matrix = fit_similarity(PLACES, points)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale > COARSE:  # sampling skips pixels
        factor = int(scale)
        left, top, right, bottom = _find_area(matrix, image.size)
        image = image.crop((left, top, right, bottom)).reduce(factor)
        matrix = (matrix - [[0, 0, left], [0, 0, top]]) / factor
    chip = image.transform(
        (CHIP_PX, CHIP_PX),
        Image.Transform.AFFINE,
        tuple(matrix.ravel()),
        Image.Resampling.BILINEAR,
    )
    pixels: npt.NDArray[np.float32] = np.asarray(chip, np.float32) - MEAN_COLOUR
    return (pixels / np.float32(COLOUR_RANGE)).transpose(2, 0, 1)


def fit_similarity(source: npt.NDArray[Any], target: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The 2 x 3 matrix of turn, scale and shift that takes ``source`` nearest to ``target``."""
    from_middle, to_middle = source - source.mean(axis=0), target - target.mean(axis=0)
    left, sizes, right = np.linalg.svd(to_middle.T @ from_middle)
    no_mirror = np.diag([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    scale = float(sizes @ no_mirror.diagonal()) / float((from_middle**2).sum())
    turn = left @ no_mirror @ right * scale
    shift = target.mean(axis=0) - turn @ source.mean(axis=0)
    return np.hstack([turn, shift[:, None]])


def _find_area(matrix: npt.NDArray[Any], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture that the chip is taken from, as a box within the picture."""
    corners = np.array([[0, 0, 1], [CHIP_PX, 0, 1], [0, CHIP_PX, 1], [CHIP_PX, CHIP_PX, 1]])
    places = corners @ matrix.T
    left, top = np.floor(places.min(axis=0)).clip(0).astype(int).tolist()
    right, bottom = np.ceil(places.max(axis=0)).astype(int).tolist()
    return left, top, max(left + 1, min(right, size[0])), max(top + 1, min(bottom, size[1]))
