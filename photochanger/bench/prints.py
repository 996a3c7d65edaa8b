"""What a print costs: a picture of 2K with its frame, its words and the guest's code."""

from functools import partial

from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements
from photochanger.bench.pictures import measure
from photochanger.pictures import JPEG, encode
from photochanger.pictures.lettering import Code, Lettering
from photochanger.pictures.paper import PAPERS_PX, Size
from photochanger.pictures.printing import PRINT_DPI, PrintPlan, make_print, read_frame
from photochanger.testing import live

RESULT_PX = (1696, 2528)  # 2K, as a model makes it
ADDRESS = "https://photos.example.com/public/results/6f1d7f9e-7c1b-4f7e-9d0b-0f6f3a1b2c3d/page"
DRAWN_MS = 60
WINE = (120, 30, 60, 255)


def make_frame_picture(size: Size) -> Image.Image:
    """A solid frame with a round-cornered hole, wider at its foot."""
    frame = Image.new("RGBA", size, WINE)
    edge = size[0] // 20
    hole = (edge, edge, size[0] - edge, size[1] - 5 * edge)
    ImageDraw.Draw(frame).rounded_rectangle(hole, edge, fill=(0, 0, 0, 0))
    return frame


def prints(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    """``site`` is not needed: no server takes part."""
    picture = Image.effect_noise((212, 316), 60).convert("RGB").resize(RESULT_PX)
    table = Table(title="A 2K picture is printed: CPU, ms")
    for title in ("paper", "crop and scale", "frame, words, code", "bar", "", "encode"):
        table.add_column(title, justify="right")
    for paper, size in PAPERS_PX.items():
        scale_ms, _ = measure(partial(make_print, picture, _plan_scaling(size)))
        plan = _plan_drawing(size)
        fitting = _make_fitting(picture, plan)
        drawn_ms, made = measure(partial(make_print, fitting, plan))
        encode_ms, _ = measure(partial(encode, made, JPEG, quality=92, dpi=PRINT_DPI))
        held = "[green]ok[/]" if drawn_ms <= DRAWN_MS else "[yellow]over[/]"
        bar = f"≤ {DRAWN_MS}"
        table.add_row(paper, f"{scale_ms:.0f}", f"{drawn_ms:.0f}", bar, held, f"{encode_ms:.0f}")
        requirements.require(made.size == size, f"prints: {paper} is {made.size}")
    console.print(table)


def _plan_scaling(size: Size) -> PrintPlan:
    return PrintPlan(size_px=size, find_heads=lambda image: ())


def _plan_drawing(size: Size) -> PrintPlan:
    words = "Свадьба Анны и Петра\n27 ноября"
    return PrintPlan(
        size_px=size,
        find_heads=lambda image: (),
        frame=read_frame(make_frame_picture(size)),
        lettering=Lettering(text=words, place="bottom", size_px=80, color="#ffe9b0"),
        code=Code(address=ADDRESS, corner="bottom-right"),
    )


def _make_fitting(picture: Image.Image, plan: PrintPlan) -> Image.Image:
    """As large as the hole, so that only what is drawn is measured."""
    assert plan.frame is not None
    left, top, right, bottom = plan.frame.window
    return picture.resize((right - left, bottom - top))
