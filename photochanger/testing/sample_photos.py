"""Pictures that a person can tell apart on a screenshot."""

import colorsys
import io

from PIL import Image, ImageDraw


def sight(number: int, *, size: tuple[int, int] = (900, 1200)) -> bytes:
    """A JPEG of a figure before a sky; each number has colours of its own."""
    width, height = size
    sky = Image.linear_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, _colour(number, 0.35, 0.95)),
        Image.new("RGB", size, _colour(number + 2, 0.55, 0.45)),
        sky,
    )
    draw = ImageDraw.Draw(image)
    unit, middle = min(size) / 10, width / 2
    head = (middle - unit * 1.6, height * 0.3, middle + unit * 1.6, height * 0.3 + unit * 3.6)
    draw.ellipse(
        (middle - unit * 3.4, height * 0.3 + unit * 3.8, middle + unit * 3.4, height * 1.3),
        fill=_colour(number + 5, 0.6, 0.6),
    )
    draw.ellipse(head, fill=(236, 200, 170))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _colour(number: int, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number * 0.17 % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)
