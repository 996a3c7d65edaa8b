"""From the colours of a profile to sRGB."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

from photochanger.pictures.metadata import MAX_PROFILE_BYTES

SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # of a profile -> Pillow's mode
SAME_COLOURS = 4  # of 255: so far two programs' sRGB profiles are apart
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=8)  # of the cameras of one event
def find_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What makes sRGB of a picture in these colours; None where there is nothing to do."""
    transform = build_transform(profile, mode)
    if transform is None or transform.input_mode == "CMYK":
        return transform
    return None if _changes_nothing(transform) else transform


@lru_cache(maxsize=8)
def build_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that is broken, or of another kind of picture: it says nothing."""
    kind = SPACES.get(profile[16:20], "")
    if not profile or len(profile) > MAX_PROFILE_BYTES or not _fits(kind, mode):
        return None
    try:
        return ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            SRGB,
            kind,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _fits(kind: str, mode: str) -> bool:
    if mode == "CMYK" or kind == "CMYK":
        return kind == mode
    return kind == "RGB" or (kind == "L" and mode[0] in "L1I")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the profile is sRGB under whatever name: by what it makes of a chart."""
    chart = _draw_chart(transform.input_mode)
    after, before = transform.apply(chart).tobytes(), chart.convert("RGB").tobytes()
    return all(abs(a - b) <= SAME_COLOURS for a, b in zip(after, before, strict=True))


@lru_cache
def _draw_chart(mode: str) -> Image.Image:
    if mode == "L":
        return Image.linear_gradient("L").resize((1, 256))
    steps = range(0, 256, 51)
    chart = Image.new("RGB", (36, 6))
    chart.putdata([(r, g, b) for r in steps for g in steps for b in steps])
    return chart
