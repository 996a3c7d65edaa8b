"""Which part of a picture is shown where another shape is wanted, so that nobody loses a head."""

from collections.abc import Sequence
from typing import NamedTuple

from photochanger.pictures.paper import Size


class Box(NamedTuple):
    """Pixels, not all of them whole."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def clip(self, size: Size) -> "Box":
        """What of it lies in a picture of that size."""
        across, down = size
        return Box(
            max(0.0, self.left),
            max(0.0, self.top),
            min(float(across), self.right),
            min(float(down), self.bottom),
        )


class Crop(NamedTuple):
    """``box`` of the picture is all that is shown, at ``place`` of what it is shown in. They have
    one shape; where ``place`` is not the whole, the heads are too far apart for its shape."""

    box: Box
    place: tuple[int, int, int, int]


def choose_crop(size: Size, shown: Size, heads: Sequence[Box], *, margin_px: int = 0) -> Crop:
    """As much of a picture of ``size`` as fits into ``shown``, with every head whole.

    Where no head is known the middle third of the picture is not cut. ``margin_px``, of what is
    shown: so far from its edge heads stay where there is room.
    """
    across, down = size
    kept = _join(heads) if heads else Box(across / 3, down / 3, across * 2 / 3, down * 2 / 3)
    scale = max(  # pixels of the picture for one that is shown
        min(across / shown[0], down / shown[1]), kept.width / shown[0], kept.height / shown[1]
    )
    margin = margin_px * scale if heads else 0.0
    middle = (kept.left + kept.right) / 2 if heads else across / 2
    left, width = _place_side(Side(shown[0] * scale, across, kept.left, kept.right), middle, margin)
    top, height = _place_side(Side(shown[1] * scale, down, kept.top, kept.bottom), down / 2, margin)
    # Of a very long picture a line is left at least.
    used = tuple(
        max(1, min(there, round(side / scale)))
        for there, side in zip(shown, (width, height), strict=True)
    )
    x, y = (shown[0] - used[0]) // 2, (shown[1] - used[1]) // 2
    return Crop(Box(left, top, left + width, top + height), (x, y, x + used[0], y + used[1]))


def _join(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


class Side(NamedTuple):
    """One side of a crop: its length, the picture's, and from where to where nothing is cut."""

    wanted: float
    there: float
    first: float
    last: float


def _place_side(side: Side, middle: float, margin: float) -> tuple[float, float]:
    """Where it begins and how long it is: about the middle, as far as what is kept, with a margin
    around it, and the ends of the picture allow."""
    if side.wanted >= side.there:
        return 0.0, side.there
    room = min(margin, (side.wanted - (side.last - side.first)) / 2)
    start = max(middle - side.wanted / 2, side.last + room - side.wanted)
    start = min(start, side.first - room)
    return min(max(start, 0.0), side.there - side.wanted), side.wanted
