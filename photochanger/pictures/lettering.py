"""Words and a QR code, drawn onto a print."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import fontpkg_pt_sans
import segno
from PIL import Image, ImageColor, ImageDraw, ImageFont

from photochanger.pictures.cropping import Box
from photochanger.pictures.paper import convert_mm

# A free font (SIL OFL) with Latin and Cyrillic letters; Pillow's own has no Cyrillic.
FONT = str(fontpkg_pt_sans.ROOT / "files" / "PT_Sans-Web-Bold.ttf")
LEAST_FONT_PX = 8
LINE_SHARE, OUTLINE_SHARE = 1.25, 0.06  # of the letters' size
DARK = 128  # of 255: brighter letters get a dark outline, and darker ones a bright one
QUIET_ZONE = 4  # modules of white around a code
MODULE_PX = 5  # 0.42 mm: phones read it at arm's length
CODE_GAP_PX = convert_mm(2)  # between a code and words beside it

Place = Literal["top", "bottom"]
Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """``size_px``: of the letters, less where they have no room; ``color``: ``#rrggbb``."""

    text: str
    place: Place
    size_px: int
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The address that a QR code leads to, and where it stands."""

    address: str
    corner: Corner


def draw_code(page: Image.Image, code: Code, safe: Box) -> Box:
    """Dark on white with its quiet zone, in a corner of the safe area. Returns where it is."""
    # "m" survives a thumb on the print, and keeps the modules large.
    matrix = segno.make_qr(code.address, error="m").matrix
    count = len(matrix) + 2 * QUIET_ZONE
    drawn = Image.new("L", (count, count), 255)
    for row, modules in enumerate(matrix, start=QUIET_ZONE):
        line = bytes(0 if dark else 255 for dark in modules)
        drawn.paste(Image.frombytes("L", (len(modules), 1), line), (QUIET_ZONE, row))
    room = int(min(safe.width, safe.height))
    module_px = max(1, min(MODULE_PX, room // count))
    drawn = drawn.resize((count * module_px,) * 2, Image.Resampling.NEAREST)
    vertical, _dash, horizontal = code.corner.partition("-")
    left = safe.left if horizontal == "left" else safe.right - drawn.width
    top = safe.top if vertical == "top" else safe.bottom - drawn.height
    page.paste(drawn.convert(page.mode), (round(left), round(top)))
    return Box(left, top, left + drawn.width, top + drawn.height)


def draw_text(page: Image.Image, words: Lettering, safe: Box) -> None:
    """Lines in the middle of the safe area's breadth, at its top or its bottom."""
    lines = words.text.splitlines()
    font = _fit_font(lines, words.size_px, safe)
    step = round(font.size * LINE_SHARE)
    middle = (safe.left + safe.right) / 2
    top = safe.top if words.place == "top" else safe.bottom - step * len(lines)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text(
            (middle, top + step * (number + 0.5)),
            line,
            font=font,
            fill=words.color,
            anchor="mm",
            stroke_width=max(1, round(font.size * OUTLINE_SHARE)),
            stroke_fill=_choose_outline(words.color),
        )


def leave_room(safe: Box, code: Box, place: Place) -> Box:
    """What is left of the safe area for words in the same row as a code."""
    is_top = code.top - safe.top < safe.bottom - code.bottom
    if is_top != (place == "top"):
        return safe
    if code.left - safe.left < safe.right - code.right:
        return safe._replace(left=code.right + CODE_GAP_PX)
    return safe._replace(right=code.left - CODE_GAP_PX)


def _fit_font(lines: list[str], size_px: int, room: Box) -> ImageFont.FreeTypeFont:
    """As large as asked, or as all lines have room, but never too small to be read."""
    font = _load_font(size_px)
    longest = max((font.getlength(line) for line in lines), default=0.0)
    share = min(room.width / max(longest, 1), room.height / (size_px * LINE_SHARE * len(lines)))
    return font if share >= 1 else _load_font(max(LEAST_FONT_PX, int(size_px * share)))


@lru_cache(maxsize=32)
def _load_font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size_px)


def _choose_outline(color: str) -> str:
    red, green, blue = ImageColor.getrgb(color)[:3]
    return "#000000" if (299 * red + 587 * green + 114 * blue) / 1000 >= DARK else "#ffffff"
