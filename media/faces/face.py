"""One face in a picture. It lives as long as two pictures are compared, and is never stored."""

from dataclasses import dataclass, field
from math import dist

# The numbers of the face net: two faces that look alike lie near each other.
Descriptor = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face's place in shares of the picture's longest side, and how sure its finder is (0-1).

    ``height`` is from brow to chin. ``descriptor`` is None where only people are counted. It
    stays out of ``repr``, and so out of logs and error reports.
    """

    centre: tuple[float, float] = field(repr=False)
    width: float = field(repr=False)
    height: float = field(default=0.0, repr=False)
    score: float
    descriptor: Descriptor | None = field(default=None, repr=False)

    def distance_to(self, other: "Face") -> float:
        """How unlike two described faces are: 0 the same shot, about 0.8 two people.

        0 where one of them is not described.
        """
        if self.descriptor is None or other.descriptor is None:
            return 0.0
        return dist(self.descriptor, other.descriptor)

    def shift_to(self, other: "Face") -> float:
        return dist(self.centre, other.centre)
