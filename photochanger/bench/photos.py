"""Noisy JPEGs as a camera makes them, each copy sent with bytes of its own."""

import io
import secrets
from pathlib import Path

from PIL import Image

MEGABYTE = 1_000_000
# The big one stays below the provider's cap of 20 MB after base64.
SIZES = {"50kb": 50_000, "1mb": MEGABYTE, "15mb": 14_500_000}
DIMENSIONS = {"50kb": (640, 480), "1mb": (2000, 1500), "15mb": (6000, 4000)}


def make(name: str, folder: Path) -> Path:
    """A JPEG just below the named size."""
    picture, best = _noise(*DIMENSIONS[name]), b""
    low, high = 1, 98
    while low <= high:
        quality = (low + high) // 2
        encoded = io.BytesIO()
        picture.save(encoded, "JPEG", quality=quality)
        if encoded.tell() <= SIZES[name]:
            best, low = encoded.getvalue(), quality + 1
        else:
            high = quality - 1
    path = folder / f"{name}.jpg"
    path.write_bytes(best)
    return path


def _noise(width: int, height: int) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((width, height))
    bands = [Image.blend(gradient, Image.effect_noise((width, height), 70), 0.5) for _ in range(3)]
    return Image.merge("RGB", bands)


def unique(photo: memoryview) -> list[bytes | memoryview]:
    """The photo in two pieces with a random comment between, so that no copy is a duplicate."""
    after_app0 = 4 + int.from_bytes(photo[4:6])
    comment = b"\xff\xfe\x00\x12" + secrets.token_bytes(16)
    return [bytes(photo[:after_app0]) + comment, photo[after_app0:]]


def total(pieces: list[bytes | memoryview]) -> int:
    return sum(map(len, pieces))
