"""Gemini's image models as their documents describe them, for the strict side of the wire.

Kept apart from the project's own catalogue on purpose. "Not documented" is read as "refused":
a driver that passes here sends only what is known to be accepted.
"""

import math
from dataclasses import dataclass

COMMON_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
ALL_RATIOS = (*COMMON_RATIOS, "1:4", "4:1", "1:8", "8:1")
MAX_PICTURES = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """``levels`` are the thinking levels it takes; ``thinks`` is false if it takes no setting."""

    title: str
    sizes: tuple[str, ...]
    ratios: tuple[str, ...] = COMMON_RATIOS
    thinks: bool = True
    levels: tuple[str, ...] = ()
    takes_system_instruction: bool = True
    max_pictures: int = MAX_PICTURES
    input_tokens: int = 65_536
    output_tokens: int = 32_768


DEFAULT = "gemini-nano-banana-2.1"
FLASH_25 = "gemini-2.5-flash-image"

MODELS = {
    DEFAULT: Model(
        title="Nano Banana 2.1",
        sizes=("1K", "2K", "4K"),
        ratios=ALL_RATIOS,
        levels=("MINIMAL", "MEDIUM", "HIGH"),
        input_tokens=131_072,
    ),
    # Thinking is always on and no level is documented for it.
    "gemini-3-pro-image": Model(title="Nano Banana Pro", sizes=("1K", "2K", "4K")),
    "gemini-3.1-flash-lite-image": Model(
        title="Nano Banana 2 Lite",
        sizes=("1K",),
        ratios=ALL_RATIOS,
        levels=("MINIMAL", "HIGH"),
        output_tokens=4_096,
    ),
    "gemini-3.1-flash-image": Model(
        title="Nano Banana 2",
        sizes=("512", "1K", "2K", "4K"),
        ratios=ALL_RATIOS,
        levels=("MINIMAL", "HIGH"),
        input_tokens=131_072,
    ),
    # Its "no more than 3 pictures" is advice, not a limit. It has one size and takes no other.
    FLASH_25: Model(
        title="Nano Banana", sizes=("1K",), thinks=False, takes_system_instruction=False
    ),
}

# Shut down on an announced day. The end of 2.5-flash-image was moved, so it answers here.
RETIRED = frozenset(
    {
        "gemini-2.5-flash-image-preview",
        "gemini-3-pro-image-preview",
        "gemini-3.1-flash-image-preview",
        "gemini-3.1-flash-image",
        "imagen-4.0-generate-001",
        "imagen-4.0-ultra-generate-001",
        "imagen-4.0-fast-generate-001",
    }
)

PIXELS_25 = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
# Size 1K. The last four are not in the documents we have: an area like the others'.
PIXELS = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
_SCALE = {"512": 0.5, "1K": 1, "2K": 2, "4K": 4}
# Of a photo that is sent, whatever its size.
INPUT_TOKENS, INPUT_TOKENS_PRO = 1120, 560
_IMAGE_TOKENS = {
    DEFAULT: {"1K": 1120, "2K": 1680, "4K": 3780},
    "gemini-3-pro-image": {"1K": 1120, "2K": 1120, "4K": 2000},
    "gemini-3.1-flash-image": {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
    FLASH_25: {"1K": 1290},
}


def choose_output_size(model: str, ratio: str, image_size: str) -> tuple[int, int]:
    """Width and height of the answer's picture."""
    width, height = (PIXELS_25 if model == FLASH_25 else PIXELS)[ratio]
    scale = _SCALE[image_size]
    return round(width * scale), round(height * scale)


def find_nearest_ratio(model: str, width: int, height: int) -> str:
    def measure_distance(ratio: str) -> float:
        across, down = ratio.split(":")
        return abs(math.log(width / height) - math.log(int(across) / int(down)))

    return min(MODELS[model].ratios, key=measure_distance)


def count_image_tokens(model: str, image_size: str) -> int:
    return _IMAGE_TOKENS.get(model, {}).get(image_size, 1120)


def count_input_tokens(model: str) -> int:
    return INPUT_TOKENS_PRO if model == "gemini-3-pro-image" else INPUT_TOKENS
