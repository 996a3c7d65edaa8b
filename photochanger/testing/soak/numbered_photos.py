"""Photos with a number that is still there in the picture that a service makes of them."""

import io
import random
from functools import cache
from itertools import product

from PIL import Image, ImageDraw, ImageStat

COLUMNS, ROWS = 8, 4
NUMBER_BITS, CHECK_BITS = 24, 8
# Of the width and height: the middle, which no style, frame or caption covers.
LEFT, TOP, WIDTH, HEIGHT = 0.2, 0.25, 0.6, 0.35
SIZES = ((900, 600), (2400, 1600), (4800, 3200))
_FIELD = (96, 110, 96)
_DARK, _LIGHT = (20, 20, 20), (235, 235, 235)
_MIDDLE = 128


def draw_photo(number: int, size: tuple[int, int]) -> bytes:
    """A JPEG of that size in pixels; the largest ones weigh several MB, as a camera's do."""
    image = _make_ground(size).copy()
    draw = ImageDraw.Draw(image)
    for box, is_light in zip(_list_boxes(size), _to_bits(number), strict=True):
        draw.rectangle(box, fill=_LIGHT if is_light else _DARK)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, exif=_EXIF)
    return out.getvalue()


def read_number(picture: bytes) -> int | None:
    """None: there is no number in it, or not a whole one."""
    with Image.open(io.BytesIO(picture)) as image:
        grey = image.convert("L")
    bits = []
    for left, top, right, bottom in _list_boxes(grey.size):
        inset = (right - left) // 4, (bottom - top) // 4
        core = grey.crop((left + inset[0], top + inset[1], right - inset[0], bottom - inset[1]))
        bits.append(ImageStat.Stat(core).mean[0] > _MIDDLE)
    number = sum(bit << place for place, bit in enumerate(bits[:NUMBER_BITS]))
    return number if bits == _to_bits(number) else None


def _to_bits(number: int) -> list[bool]:
    """Its own, and some that tell whether all were read right."""
    check = random.Random(number).getrandbits(CHECK_BITS)  # noqa: S311  the same each time
    whole = number | check << NUMBER_BITS
    return [bool(whole >> place & 1) for place in range(NUMBER_BITS + CHECK_BITS)]


def _list_boxes(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    wide, high = size[0] * WIDTH / COLUMNS, size[1] * HEIGHT / ROWS
    left, top = size[0] * LEFT, size[1] * TOP
    return [
        (
            round(left + column * wide),
            round(top + row * high),
            round(left + (column + 1) * wide),
            round(top + (row + 1) * high),
        )
        for row, column in product(range(ROWS), range(COLUMNS))
    ]


@cache
def _make_ground(size: tuple[int, int]) -> Image.Image:
    """Noise, which is as heavy as a camera's picture."""
    noise = Image.effect_noise(size, 24).convert("RGB")
    return Image.blend(noise, Image.new("RGB", size, _FIELD), 0.5)


def _make_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    return exif


_EXIF = _make_exif()
