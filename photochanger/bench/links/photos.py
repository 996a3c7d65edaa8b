"""Photos like a camera's: a person, the noise of a sensor, and the size of a camera's file."""

import io
from pathlib import Path

from PIL import Image, ImageChops

from photochanger.testing.databases import BASE_DIR

SAMPLE = BASE_DIR / "ingest/sample/portrait.jpg"
# Name -> long side in pixels, size of the file in bytes.
CAMERAS = {"1mb": (2400, 1_000_000), "5mb": (4800, 5_000_000), "14mb": (6000, 14_000_000)}
TILE = 8  # the quality is looked for on this fraction of width and height
NOISE = 14


def make(name: str, folder: Path) -> Path:
    long_side, size_bytes = CAMERAS[name]
    photo = _take_photo(long_side, long_side * 2 // 3)
    part = photo.crop((0, 0, photo.width // TILE, photo.height // TILE * TILE // 2))
    wanted = size_bytes * part.width * part.height / (photo.width * photo.height)
    quality = min(range(40, 99, 2), key=lambda quality: abs(len(_encode(part, quality)) - wanted))
    path = folder / f"camera-{name}.jpg"
    path.write_bytes(_encode(photo, quality))
    return path


def _take_photo(width: int, height: int) -> Image.Image:
    with Image.open(SAMPLE) as sample:
        cut = sample.crop((0, 0, sample.width, sample.width * height // width))
        scene = cut.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    noise = Image.merge("RGB", [Image.effect_noise((width, height), NOISE) for _ in range(3)])
    return ImageChops.add(scene, noise, offset=-128)


def _encode(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
