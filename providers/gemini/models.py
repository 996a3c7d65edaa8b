"""The models providers offer, as data: the one place to edit when a service changes its list.

Sources are named in spec/providers/gemini.md. Only what our code or our operators act on is kept
here; a service's own limits are the service's to enforce.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_noop as _  # translated where a form is drawn

COMMON_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
WIDE_RATIOS = (*COMMON_RATIOS, "1:4", "4:1", "1:8", "8:1")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiModel:
    """One image model of the Gemini Developer API.

    ``retires_on`` is the announced, earliest day of its shutdown; ``successor`` is what the service
    names in its place. ``fastest_thinking`` is the level that answers soonest, empty for models
    that take no thinking setting. ``note`` says what it is chosen for. ``output_tokens`` are those
    of a picture by its size, ``input_tokens`` those of one that is sent, whatever its size.
    """

    id: str
    title: str
    sizes: tuple[str, ...]
    ratios: tuple[str, ...] = COMMON_RATIOS
    fastest_thinking: str = ""
    retires_on: date | None = None
    successor: str = ""
    note: str = ""
    output_tokens: Mapping[str, int]
    input_tokens: int = 1120
    thinks: bool = True


# ai.google.dev/gemini-api/docs/deprecations, /changelog and /image-generation, read 2026-11.
GEMINI_MODELS = (
    GeminiModel(
        id="gemini-nano-banana-2.1",
        title="Nano Banana 2.1",
        sizes=("1K", "2K", "4K"),
        ratios=WIDE_RATIOS,
        fastest_thinking="MINIMAL",
        output_tokens={"1K": 1120, "2K": 1680, "4K": 3780},
    ),
    GeminiModel(
        id="gemini-3-pro-image",
        title="Nano Banana Pro",
        sizes=("1K", "2K", "4K"),
        output_tokens={"1K": 1120, "2K": 1120, "4K": 2000},
        input_tokens=560,
    ),
    GeminiModel(
        id="gemini-3.1-flash-lite-image",
        title="Nano Banana 2 Lite",
        sizes=("1K",),
        ratios=WIDE_RATIOS,
        fastest_thinking="MINIMAL",  # it takes MINIMAL and HIGH [D]
        note=_("the fastest"),  # Google aims at less than 2 s [D]
        output_tokens={"1K": 1120},
    ),
    GeminiModel(
        id="gemini-3.1-flash-image",
        title="Nano Banana 2",
        sizes=("512", "1K", "2K", "4K"),
        ratios=WIDE_RATIOS,
        fastest_thinking="MINIMAL",
        retires_on=date(2026, 10, 29),
        output_tokens={"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
    ),
    GeminiModel(
        id="gemini-2.5-flash-image",
        title="Nano Banana",
        sizes=(),
        retires_on=date(2027, 3, 15),  # moved from 2026-10-02 [C]
        successor="gemini-3.1-flash-lite-image",
        output_tokens={"1K": 1290},
        input_tokens=2322,  # 258 for each tile of 768 pixels [D]: at most nine of 2048
        thinks=False,
    ),
)
GEMINI_BY_ID = {model.id: model for model in GEMINI_MODELS}
DEFAULT_GEMINI_MODEL = "gemini-nano-banana-2.1"

# Pixels of a picture, whatever its shape [D].
SIZE_PIXELS = {"512": 512**2, "1K": 1024**2, "2K": 2048**2, "4K": 4096**2}
ENOUGH = 0.9  # of a print's pixels: nobody sees the difference


def common_to(lists: Sequence[Sequence[str]]) -> list[str]:
    """What is in all of them, in the order of the first."""
    return [one for one in lists[0] if all(one in other for other in lists)] if lists else []


def choose_nearest_ratio(width: int, height: int, ratios: Iterable[str]) -> str:
    def measure_distance(ratio: str) -> float:
        across, down = map(int, ratio.split(":"))
        return abs(math.log(width / height * down / across))

    return min(ratios, key=measure_distance)


def choose_size(pixels: int, sizes: Sequence[str]) -> str | None:
    """The smallest that has so many pixels, or the largest; None where there is no choice."""
    enough = [size for size in sizes if SIZE_PIXELS[size] >= ENOUGH * pixels]
    return next(iter([*enough, *reversed(sizes)]), None)
