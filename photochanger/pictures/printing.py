"""A picture as it is printed: of exactly the paper's pixels, in its frame, with every head."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageFilter

from photochanger.pictures.cropping import Box, choose_crop
from photochanger.pictures.lettering import (
    Code,
    Lettering,
    draw_code,
    draw_text,
    leave_room,
)
from photochanger.pictures.paper import DPI, Size, convert_mm

PRINT_DPI = (float(DPI), float(DPI))
EDGE_PX = convert_mm(3)  # printers lose up to so much of each edge
# What scaling blurs is made up for: a fourth of the difference from the four pixels beside it.
SHARPEN = ImageFilter.Kernel((3, 3), (0, -1, 0, -1, 20, -1, 0, -1, 0), 16)
GROUND_SIDE_PX = 6  # of the ground behind a picture: colours only, no face a second time
GROUND_LIGHT = 0.8
HAIR = 0.01  # of a side
OPAQUE = 250  # of 255: some programs leave a frame's solid parts a little short of it
CLEAR = 128  # what is less opaque is the window, and not a shadow or a soft edge of it
CLEAR_LINE = 3  # of 255: a line with less than a hundredth clear has stray pixels, no window
LEAST_WINDOW = 0.2  # of a side

HeadFinder = Callable[[Image.Image], Sequence[Box]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture of the whole page that goes over the print; ``window``: what shows through it."""

    image: Image.Image  # RGBA; not to be changed, it is shared
    window: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintPlan:
    """How a picture is to be printed.

    ``size_px``: None where it stays as it comes. ``find_heads`` is asked only where something is
    cut off. ``edge_px``: from the page's edges, that printers cut off, to words and code.
    """

    find_heads: HeadFinder
    size_px: Size | None = None
    frame: Frame | None = None  # of ``size_px``
    lettering: Lettering | None = None
    code: Code | None = None
    edge_px: int = EDGE_PX


def make_print(image: Image.Image, plan: PrintPlan) -> Image.Image:
    """A plain picture as it is printed. Blocking: 0.15 s of CPU, and what finding heads takes.

    The picture itself may be drawn on; who needs it no more lets it go.
    """
    if plan.frame is not None:
        page = _put_into_frame(image, plan, plan.frame)
    else:
        page = _fit(image, plan.size_px, plan) if plan.size_px else image
    return _draw_on(page, plan) if plan.code or plan.lettering else page


def read_frame(image: Image.Image, size: Size | None = None) -> Frame | None:
    """A frame of that size, or of its own; None where less than a fifth of a side shows through."""
    if size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    image = image.convert("RGBA")
    window = _find_window(image.getchannel("A"))
    return Frame(image=image, window=window) if window else None


def _find_window(alpha: Image.Image) -> tuple[int, int, int, int] | None:
    """All holes together, with their soft edges; a stray pixel or two is no hole."""
    clear = alpha.point(lambda value: 255 * (value < CLEAR))
    # Each column, and each row, as one pixel: how much of it is clear.
    across = clear.resize((alpha.width, 1), Image.Resampling.BOX)
    down = clear.resize((1, alpha.height), Image.Resampling.BOX)
    columns, rows = (
        line.point(lambda share: 255 * (share >= CLEAR_LINE)).getbbox() for line in (across, down)
    )
    if columns is None or rows is None:
        return None
    left, _, right, _ = columns
    _, top, _, bottom = rows
    if right - left < LEAST_WINDOW * alpha.width or bottom - top < LEAST_WINDOW * alpha.height:
        return None
    return _add_soft_edges(alpha, (left, top, right, bottom))


def _add_soft_edges(
    alpha: Image.Image, window: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Line by line, as long as something shows through the next one."""
    soft = alpha.point(lambda value: 255 * (value < OPAQUE))
    left, top, right, bottom = window
    while left > 0 and soft.crop((left - 1, top, left, bottom)).getbbox():
        left -= 1
    while right < alpha.width and soft.crop((right, top, right + 1, bottom)).getbbox():
        right += 1
    while top > 0 and soft.crop((left, top - 1, right, top)).getbbox():
        top -= 1
    while bottom < alpha.height and soft.crop((left, bottom, right, bottom + 1)).getbbox():
        bottom += 1
    return left, top, right, bottom


def _put_into_frame(image: Image.Image, plan: PrintPlan, frame: Frame) -> Image.Image:
    left, top, right, bottom = frame.window
    page = _fit(image, (right - left, bottom - top), plan)
    if page.size != frame.image.size or page.mode != "RGB":
        whole = Image.new("RGB", frame.image.size, "white")
        whole.paste(page, (left, top))
        page = whole
    page.paste(frame.image, mask=frame.image)
    return page


def _draw_on(page: Image.Image, plan: PrintPlan) -> Image.Image:
    page = page if page.mode == "RGB" else page.convert("RGB")
    edge = min(plan.edge_px, min(page.size) // 8)
    safe = Box(edge, edge, page.width - edge, page.height - edge)
    room = safe
    if plan.code is not None:
        code = draw_code(page, plan.code, safe)
        room = leave_room(safe, code, plan.lettering.place) if plan.lettering else safe
    if plan.lettering is not None:
        draw_text(page, plan.lettering, room)
    return page


def _fit(image: Image.Image, shown: Size, plan: PrintPlan) -> Image.Image:
    if image.size == shown:
        return image
    heads = plan.find_heads(image) if _is_cut(image.size, shown) else ()
    box, place = choose_crop(image.size, shown, heads, margin_px=plan.edge_px)
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
