"""Photos of people, and what an AI service does to them by mistake: lose one, add one, swap one.

Nothing here finds faces. The people of a photo stand side by side in columns of one width, as
``make_group`` puts them, and a mistake is made of a column.
"""

import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageOps, ImageStat

PEOPLE = ("biden", "obama", "hopper", "collins")
COLUMN_PX, HEIGHT_PX = 320, 400
STRANGER = "hopper"


@cache
def load_person(name: str) -> Image.Image:
    """A portrait of 320 x 400. Not to be changed: it is shared."""
    image = Image.open(Path(__file__).with_name(f"{name}.jpg")).convert("RGB")
    return ImageOps.fit(image, (COLUMN_PX, HEIGHT_PX), Image.Resampling.BICUBIC)


def make_group(names: Sequence[str]) -> Image.Image:
    """Those people side by side."""
    group = Image.new("RGB", (COLUMN_PX * len(names), HEIGHT_PX))
    for number, name in enumerate(names):
        group.paste(load_person(name), (COLUMN_PX * number, 0))
    return group


def lose_person(photo: Image.Image, people: int) -> Image.Image:
    """The last column becomes background."""
    changed, box = photo.copy(), _find_last_column(photo, people)
    changed.paste(_find_colour(photo), box)
    return changed


def add_person(photo: Image.Image, people: int) -> Image.Image:
    """All move together, and somebody who was not there stands beside them."""
    width, height = (side * people // (people + 1) for side in photo.size)
    changed = Image.new("RGB", photo.size, _find_colour(photo))
    changed.paste(photo.resize((width, height)), (0, photo.height - height))
    stranger = _fit_stranger((photo.width - width, height))
    changed.paste(stranger, (width, photo.height - height))
    return changed


def swap_person(photo: Image.Image, people: int) -> Image.Image:
    """Somebody else stands in the last column."""
    changed, box = photo.copy(), _find_last_column(photo, people)
    changed.paste(_fit_stranger((box[2] - box[0], box[3])), box)
    return changed


def _find_colour(photo: Image.Image) -> tuple[int, ...]:
    """The middle of all its colours, for a background."""
    return tuple(map(round, ImageStat.Stat(photo).mean))


def _find_last_column(photo: Image.Image, people: int) -> tuple[int, int, int, int]:
    return photo.width - photo.width // people, 0, photo.width, photo.height


def _fit_stranger(size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(load_person(STRANGER), size, Image.Resampling.BICUBIC)


Mistake = Callable[[Image.Image, int], Image.Image]


def make_mistake(body: bytes, mistake: Mistake, people: int) -> bytes:
    """The photo with a mistake made of it, as JPEG. Raises what Pillow raises."""
    with Image.open(io.BytesIO(body)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    out = io.BytesIO()
    mistake(upright, max(1, people)).save(out, "JPEG", quality=95)
    return out.getvalue()
