"""The pictures of the simulator's answers: the guest's photo, visibly altered."""

import io
import random
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font has no Cyrillic letters, so common system fonts are tried first.
_FONT_FILES = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf")
_LATIN = dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)) | {
    **{"ё": "e", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
    **{"ю": "yu", "я": "ya", "ъ": "", "ь": ""},
}
_SPELLING = str.maketrans(_LATIN | {ru.upper(): la.capitalize() for ru, la in _LATIN.items()})
_CREAM = (255, 247, 230)
_ACCENT = (255, 196, 84)
DETAIL_PX = 1600  # a 4K answer costs little more to draw than one of 1K
# Rows of a 3x4 colour matrix: reds up, blues down.
_WARM = (1.08, 0.06, 0.0, 6, 0.02, 1.0, 0.0, 2, 0.0, 0.06, 0.84, 0)


def stylise_photo(
    photos: list[bytes],
    size: tuple[int, int],
    *,
    title: str,
    prompt: str,
    detail_px: int = DETAIL_PX,
) -> Image.Image:
    """The first photo as a warm, inked poster with a caption; the others as small insets.

    The style is drawn with a long side of ``detail_px`` at most, and then enlarged.
    """
    shrink = max(1.0, max(size) / detail_px)
    canvas = (max(1, round(size[0] / shrink)), max(1, round(size[1] / shrink)))
    image = _apply_style(_open_cropped(photos[0], canvas)) if photos else _make_gradient(canvas)
    image = _add_vignette(image)
    for number, body in enumerate(photos[1:4]):
        _paste_inset(image, body, number)
    _write_caption(image, title, prompt)
    _draw_frame(image)
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def encode_image(image: Image.Image, file_format: str) -> bytes:
    """PNG is packed quickly rather than small: who waits for it is a test or a demo."""
    out = io.BytesIO()
    image.save(out, file_format, quality=88, compress_level=1)
    return out.getvalue()


@cache
def make_noisy_png() -> bytes:
    """1024x1024, about 1.9 MB, the same in every run: four random bits in each channel."""
    source = random.Random(1)  # noqa: S311  not a secret
    noise = [
        Image.frombytes("L", (1024, 1024), source.randbytes(1024 * 1024)).point(lambda v: v & 15)
        for _ in range(3)
    ]
    base = Image.new("RGB", (1024, 1024), (120, 140, 150))
    out = io.BytesIO()
    ImageChops.add(base, Image.merge("RGB", noise)).save(out, "PNG")
    return out.getvalue()


def _open_cropped(body: bytes, size: tuple[int, int]) -> Image.Image:
    """The photo upright, cut to the size around its upper middle, where faces are."""
    with Image.open(io.BytesIO(body)) as image:
        image.draft("RGB", (max(size) * 2, max(size) * 2))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return ImageOps.fit(upright, size, Image.Resampling.BICUBIC, centering=(0.5, 0.4))


def _apply_style(photo: Image.Image) -> Image.Image:
    # The median is the expensive step: on a half-size copy it costs 20 ms instead of 450.
    calm = photo.reduce(2).filter(ImageFilter.MedianFilter(3))
    calm = calm.resize(photo.size, Image.Resampling.BICUBIC)
    flat = ImageOps.posterize(ImageEnhance.Color(calm).enhance(1.4), 3)
    # Flat colours alone make faces unreadable; a third of the photo brings the features back.
    colours = Image.blend(flat, calm, 0.35).convert("RGB", _WARM)
    edges = calm.convert("L").filter(ImageFilter.CONTOUR).filter(ImageFilter.SMOOTH)
    ink = edges.point(lambda v: 255 if v > 225 else max(0, v - 60))
    return ImageChops.multiply(colours, Image.merge("RGB", (ink, ink, ink)))


def _make_gradient(size: tuple[int, int]) -> Image.Image:
    shade = Image.linear_gradient("L").resize(size)
    return ImageOps.colorize(shade, (250, 214, 165), (52, 88, 120))


def _add_vignette(image: Image.Image) -> Image.Image:
    mask = Image.radial_gradient("L").resize(image.size).point(lambda v: max(0, v - 120))
    return Image.composite(Image.new("RGB", image.size, (40, 18, 4)), image, mask)


def _paste_inset(image: Image.Image, body: bytes, number: int) -> None:
    side = min(image.size) // 5
    gap = side // 8
    inset = ImageOps.expand(_open_cropped(body, (side, side)), border=side // 24, fill=_CREAM)
    top = image.width // 24 + number * (inset.height + gap)
    image.paste(inset, (image.width - inset.width - image.width // 24, top))


def _draw_frame(image: Image.Image) -> None:
    width = max(3, min(image.size) // 60)
    draw = ImageDraw.Draw(image)
    last_x, last_y = image.width - 1, image.height - 1
    draw.rectangle((0, 0, last_x, last_y), outline=_CREAM, width=width)
    draw.rectangle((width, width, last_x - width, last_y - width), outline=_ACCENT, width=2)


def _write_caption(image: Image.Image, title: str, prompt: str) -> None:
    """A dark strip at the bottom: the service, and the first words of the prompt."""
    text_px = max(14, image.width // 38)
    strip_px = text_px * 4
    strip = Image.new("RGB", (image.width, strip_px), (30, 16, 8))
    box = (0, image.height - strip_px, image.width, image.height)
    image.paste(Image.blend(image.crop(box), strip, 0.72), box)
    draw = ImageDraw.Draw(image)
    left, top = image.width // 24, box[1] + text_px // 2
    for line, text in enumerate((f"{title} · simulator", prompt)):
        font, shown = _choose_font(text, text_px)
        fitted = _fit_text(draw, shown, font, image.width - 2 * left)
        colour = _CREAM if line else _ACCENT
        draw.text((left, top + line * round(text_px * 1.4)), fitted, font=font, fill=colour)


def _fit_text(draw: ImageDraw.ImageDraw, text: str, font: Font, width: int) -> str:
    words = text.split()[:14]
    while words and draw.textlength(" ".join(words), font=font) > width:
        words.pop()
    return " ".join(words)


@cache
def _load_system_font(size: int) -> ImageFont.FreeTypeFont | None:
    for name in _FONT_FILES:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None


def _choose_font(text: str, size: int) -> tuple[Font, str]:
    """A font, and the text in its letters: Russian is transliterated where it has no Cyrillic."""
    if font := _load_system_font(size):
        return font, text
    return ImageFont.load_default(size), text.translate(_SPELLING)
