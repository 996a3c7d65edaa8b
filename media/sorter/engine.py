"""How unsafe a picture looks, by Yahoo's open_nsfw net on onnxruntime.

Needs numpy and onnxruntime: import it only through ``media.sorter.loading``.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from media.nets.session import open_net
from media.sorter.rule import LOOK_AT_PX

CENTRE_PX = 224  # what the net sees of it
MEAN_BGR = np.array([104, 117, 123], np.float32)  # of the pictures that it was trained on


class Sorter:
    """The net. One for each process, made after it was forked; any number of threads."""

    def __init__(self, net: Path) -> None:
        """Blocking, 0.1 s. Raises onnxruntime's own errors for a file that is no such net."""
        self._net = open_net(net)

    def judge(self, small: Image.Image) -> float:
        """From 0, safe, to 1, for a picture of ``shrink_for_sorting``.

        Blocking: 30-40 ms of one core. Python's lock is free for nearly all of it.
        """
        edge = (LOOK_AT_PX - CENTRE_PX) // 2
        centre = small.crop((edge, edge, edge + CENTRE_PX, edge + CENTRE_PX))
        pixels = np.asarray(centre, np.float32)[:, :, ::-1] - MEAN_BGR
        [[_safe, unsafe]] = self._net.run(None, {self._net.get_inputs()[0].name: pixels[None]})[0]
        return float(unsafe)
