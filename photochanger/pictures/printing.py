"""A picture as it is printed: of exactly the paper's pixels, with every head on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageFilter

from photochanger.pictures.cropping import Box, choose_crop
from photochanger.pictures.paper import DPI, Size, convert_mm

PRINT_DPI = (float(DPI), float(DPI))
EDGE_PX = convert_mm(3)  # printers lose up to so much of each edge
# What scaling blurs is made up for: a fourth of the difference from the four pixels beside it.
SHARPEN = ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 20, -1, 0, -1, 0), 16)
GROUND_SIDE_PX = 6  # of the ground behind a picture: colours only, no face a second time
GROUND_LIGHT = 0.8
HAIR = 0.01  # of a side

HeadFinder = Callable[[Image.Image], Sequence[Box]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintPlan:
    """How a picture is to be printed. ``find_heads`` is asked only where something is cut off."""

    size_px: Size
    find_heads: HeadFinder


def make_print(image: Image.Image, plan: PrintPlan) -> Image.Image:
    """A plain picture as it is printed. Blocking: about 0.1 s of CPU, and what finding heads takes.

    The picture itself is not changed; who needs it no more lets it go.
    """
    return _fit(image, plan.size_px, plan.find_heads)


def _fit(image: Image.Image, shown: Size, find_heads: HeadFinder) -> Image.Image:
    if image.size == shown:
        return image
    heads = find_heads(image) if _is_cut(image.size, shown) else ()
    box, place = choose_crop(image.size, shown, heads, margin_px=EDGE_PX)
    size = (place[2] - place[0], place[3] - place[1])
    scaled = image.resize(size, Image.Resampling.BICUBIC, box=box).filter(SHARPEN)
    if size == shown:
        return scaled
    ground = _make_ground(image, shown)
    ground.paste(scaled, place[:2])
    return ground


def _is_cut(size: Size, shown: Size) -> bool:
    """Or of the same shape, but for a hair: services round their sides."""
    scale = min(size[0] / shown[0], size[1] / shown[1])
    return any(
        there - wanted * scale > HAIR * there for there, wanted in zip(size, shown, strict=True)
    )


def _make_ground(image: Image.Image, shown: Size) -> Image.Image:
    """The picture's own colours, darker: better than bare paper beside it."""
    scale = GROUND_SIDE_PX / min(shown)
    small = (round(shown[0] * scale), round(shown[1] * scale))
    box = choose_crop(image.size, small, ()).box
    blurred = image.convert("RGB").resize(small, Image.Resampling.BOX, box=box)
    darker = blurred.point(lambda value: round(value * GROUND_LIGHT))
    return darker.resize(shown, Image.Resampling.BICUBIC)
