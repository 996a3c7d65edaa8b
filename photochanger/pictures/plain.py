"""One way from foreign pictures to plain ones: upright, eight bits, in sRGB.

Used for what goes to a service, for what comes back, and for previews.
"""

import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageCms

from photochanger.pictures.header import Header
from photochanger.pictures.metadata import MAX_PROFILE_BYTES

Turn = Image.Transpose
TURNS = {  # EXIF orientation -> what makes the picture upright
    1: None,
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # of a profile -> Pillow's mode
SAME_COLOURS = 4  # of 255: so far two programs' sRGB profiles are apart
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def is_plain(header: Header) -> bool:
    """Whether the bytes may stay as they are, as far as the header tells.

    A palette is plain; transparency that turns out to hide nothing is too.
    """
    return (
        header.orientation == 1
        and header.is_eight_bit
        and not header.is_animated
        and not header.is_mended
        and header.mode in ("L", "LA", "P", "PA", "RGB", "RGBA")
        and find_transform(header.profile, header.mode) is None
    )


def make_plain(
    image: Image.Image,
    header: Header,
    *,
    alpha: Image.Image | None,
    keep_alpha: bool = False,
) -> Image.Image:
    """Grey or RGB of eight bits (RGBA to ``keep_alpha``), upright, in sRGB.

    ``image``: what ``header`` is of, decoded, perhaps smaller; ``alpha``: what it hides.
    """
    image = _convert_to_srgb(_convert_to_eight_bit(image), header.profile)
    if alpha is not None:
        image = _apply_alpha(image, alpha, keep_alpha=keep_alpha)
    turn = TURNS[header.orientation]
    return image if turn is None else image.transpose(turn)


def apply_transparent_colour(image: Image.Image, header: Header) -> Image.Image:
    """A decoded PNG of which one grey or colour is clear: it is named in the picture's own depth,
    and Pillow compares it with eight bits. 16 bits of grey become eight, with what they hide."""
    clear = image.info.get("transparency")
    if clear is None or header.depth_bits == 8 or image.mode not in ("I;16", "L", "RGB"):
        return image
    if image.mode == "I;16":
        low, high = (Image.frombytes("L", image.size, image.tobytes()[at::2]) for at in (0, 1))
        differs = [
            part.point([255 * (value != wanted) for value in range(256)])
            for part, wanted in ((low, clear & 0xFF), (high, clear >> 8))
        ]
        return Image.merge("LA", (high, ImageChops.lighter(*differs)))
    if image.mode == "RGB":
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    else:
        image.info["transparency"] = clear * 255 // (2**header.depth_bits - 1)
    return image


def find_alpha(image: Image.Image) -> Image.Image | None:
    """What a decoded picture's transparency is, or None when nothing shows through it."""
    if not image.has_transparency_data:
        return None
    whole = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
    alpha = whole.getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _apply_alpha(image: Image.Image, alpha: Image.Image, *, keep_alpha: bool) -> Image.Image:
    if keep_alpha:
        image = image.convert("RGB")
        image.putalpha(alpha)
        return image
    ground = Image.new(image.mode, image.size, "white")
    ground.paste(image, mask=alpha)
    return ground


def _convert_to_eight_bit(image: Image.Image) -> Image.Image:
    """Grey, RGB or CMYK."""
    if image.mode.startswith(("I", "F")):  # 16 bits of grey, which convert() would cut, not scale
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


def _convert_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    transform = find_transform(profile, image.mode)
    if transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    is_grey = image.mode == "L"
    if transform.input_mode != image.mode:  # grey with the profile of a colour space
        image = image.convert("RGB")
    image = transform.apply(image)
    return image.getchannel("G") if is_grey else image


@lru_cache(maxsize=8)  # of the cameras of one event
def find_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What makes sRGB of a picture in these colours; None where there is nothing to do.

    A profile that is broken, or of another kind of picture, says nothing.
    """
    kind = SPACES.get(profile[16:20], "")
    if not profile or len(profile) > MAX_PROFILE_BYTES or not _fits(kind, mode):
        return None
    try:
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            SRGB,
            kind,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if kind != "CMYK" and _changes_nothing(transform) else transform
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
