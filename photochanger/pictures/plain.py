"""One way from foreign pictures to plain ones: upright, eight bits, in sRGB.

Used for what goes to a service, for what comes back, and for previews.
"""

from PIL import Image, ImageChops

from photochanger.pictures.header import Header
from photochanger.pictures.transforms import find_transform

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
