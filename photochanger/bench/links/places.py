"""Where servers stand, the links they have there, and the least that these links allow."""

from dataclasses import dataclass

PROVIDER_S = 1.0
PICTURE_BYTES = 1_900_000  # the simulator's PNG, as it goes to a booth that wants all of it


@dataclass(frozen=True, slots=True)
class Link:
    """Megabits a second in each direction, and the milliseconds that a byte is under way."""

    up: float
    down: float
    one_way_ms: float

    @property
    def round_trip_s(self) -> float:
        return 2 * self.one_way_ms / 1000

    def upload_s(self, size_bytes: float) -> float:
        return size_bytes * 8 / (self.up * 1e6)

    def download_s(self, size_bytes: float) -> float:
        return size_bytes * 8 / (self.down * 1e6)

    def __str__(self) -> str:
        return f"{self.up:g}/{self.down:g}, {self.one_way_ms:g} ms"


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    booth: Link
    provider: Link

    def limit_s(self, photo_bytes: int) -> float:
        """The photo as it is, up to the server; the answer's way back over both links; and the
        round trips: connection, ``100 Continue`` and request of the booth, request to the provider.
        """
        return (
            self.booth.upload_s(photo_bytes)
            + self.provider.download_s(PICTURE_BYTES * 4 / 3)
            + self.booth.download_s(PICTURE_BYTES)
            + 3 * self.booth.round_trip_s
            + self.provider.round_trip_s
        )


PLACES = (
    Place("cloud", Link(20, 50, 20), Link(200, 200, 50)),
    Place("studio", Link(900, 900, 1), Link(20, 50, 50)),
    Place("LTE", Link(8, 20, 40), Link(200, 200, 50)),
)
