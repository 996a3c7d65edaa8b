"""How a careful reader shows a picture: upright, in sRGB, the first frame. It is none of ours."""

import io
import warnings

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

FORMATS = ("JPEG", "PNG", "WEBP")
THUMBNAIL = (48, 48)
MIN_SIDE = 16  # a smaller one is no photo; refusing it is right
SRGB = ImageCms.createProfile("sRGB")


def render(body: bytes) -> Image.Image | None:
    """None for what a strict reader does not show."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(body), formats=FORMATS) as image:
            warnings.simplefilter("ignore")
            image.load()
            upright = ImageOps.exif_transpose(image)
            return _on_white(_in_srgb(upright, image.info.get("icc_profile")))
    except Exception:  # a broken file raises whatever its reader thought of
        return None


def is_sound(body: bytes) -> bool:
    """Whether a refusal would astonish: a photo of a usual size that a strict reader shows."""
    shown = render(body)
    return shown is not None and min(shown.size) >= MIN_SIDE


def measure_difference(body: bytes, other: bytes) -> float | None:
    """Mean difference of two pictures' thumbnails, of 255; None if one cannot be shown."""
    first, second = render(body), render(other)
    if first is None or second is None:
        return None
    if _names_space_in_exif(body):  # what its colours are in sRGB is beyond this reader
        first, second = first.convert("L"), second.convert("L")
    small = [shown.resize(THUMBNAIL, Image.Resampling.BOX) for shown in (first, second)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean)


def _names_space_in_exif(body: bytes) -> bool:
    """Adobe RGB without a profile: `R03` of the cameras' interoperability rules."""
    with Image.open(io.BytesIO(body), formats=FORMATS) as image:
        return image.getexif().get_ifd(0xA005).get(1) == "R03"


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value / 256).convert("L")
    if alpha:
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError):
            pass  # it fits another kind of picture
    if alpha:
        image.putalpha(alpha)
    return image


def _on_white(image: Image.Image) -> Image.Image:
    """As paper shows what is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
