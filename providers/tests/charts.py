"""Colour charts in many spaces, and what they must look like in sRGB, computed without ICC code."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageCms

PATCH_PX = 32
STEPS = (0, 70, 128, 200, 255)
COLOURS = [(r, g, b) for r in STEPS for g in STEPS for b in STEPS]
COLUMNS = 25
MAX_DIFFERENCE = 12  # of 255
RGB = tuple[int, int, int]
Matrix = tuple[tuple[float, float, float], ...]
# To XYZ under D65, from the definitions of the spaces (CSS Color 4, "Sample code").
P3_TO_XYZ: Matrix = (
    (0.4865709486, 0.2656676932, 0.1982172852),
    (0.2289745641, 0.6917385218, 0.0792869141),
    (0.0, 0.0451133819, 1.0439443689),
)
ADOBE_TO_XYZ: Matrix = (
    (0.5766690429, 0.1855582379, 0.1882286462),
    (0.2973449753, 0.6273635663, 0.0752914585),
    (0.0270313614, 0.0706888525, 0.9913375368),
)
XYZ_TO_SRGB: Matrix = (
    (3.2409699419, -1.5373831776, -0.4986107603),
    (-0.9692436363, 1.8759675015, 0.0415550574),
    (0.0556300797, -0.2039769589, 1.0569715142),
)


def decode_srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def encode_srgb(light: float) -> int:
    light = min(1.0, max(0.0, light))
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * value)


def decode_adobe(value: float) -> float:
    return float(value ** (563 / 256))


def convert(colour: RGB, matrix: Matrix, curve: Callable[[float], float]) -> RGB:
    """What a colour of that space is in sRGB; what sRGB cannot show is cut."""
    light = [curve(value / 255) for value in colour]
    xyz = [sum(a * b for a, b in zip(row, light, strict=True)) for row in matrix]
    red, green, blue = (
        encode_srgb(sum(a * b for a, b in zip(row, xyz, strict=True))) for row in XYZ_TO_SRGB
    )
    return red, green, blue


def expect_p3(colour: RGB) -> RGB:
    return convert(colour, P3_TO_XYZ, decode_srgb)


def expect_adobe(colour: RGB) -> RGB:
    return convert(colour, ADOBE_TO_XYZ, decode_adobe)


def draw_chart(colours: list[RGB] = COLOURS) -> Image.Image:
    rows = -(-len(colours) // COLUMNS)
    small = Image.new("RGB", (COLUMNS, rows))
    small.putdata(colours)
    return small.resize((COLUMNS * PATCH_PX, rows * PATCH_PX), Image.Resampling.NEAREST)


def measure_worst(body: bytes | Image.Image, expect: Callable[[RGB], RGB]) -> int:
    """The largest difference of any patch's middle from what is expected."""
    image = (Image.open(io.BytesIO(body)) if isinstance(body, bytes) else body).convert("RGB")
    scale = image.width / (COLUMNS * PATCH_PX)
    worst = 0
    for number, colour in enumerate(COLOURS):
        at = [(part * PATCH_PX + PATCH_PX // 2) * scale for part in divmod(number, COLUMNS)[::-1]]
        found = image.getpixel((int(at[0]), int(at[1])))
        assert isinstance(found, tuple)
        worst = max(worst, *(abs(a - b) for a, b in zip(found, expect(colour), strict=True)))
    return worst


def encode(image: Image.Image, file_format: str = "JPEG", **options: Any) -> bytes:
    if file_format == "JPEG":
        options = {"quality": 97, "subsampling": 0} | options
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def make_icc(space: str) -> bytes:
    """A profile by LittleCMS or by hand, with nothing of the product's in it."""
    if space == "srgb":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if space == "grey-1.0":
        return _pack(b"GRAY", {b"wtpt": _xyz(0.9642, 1, 0.8249), b"kTRC": _gamma(1.0)})
    # Primaries under D50, as the well-known profiles of Apple and Adobe have them.
    primaries = {
        "p3": (
            (0.51512, 0.24120, -0.00105),
            (0.29198, 0.69225, 0.04189),
            (0.1571, 0.06657, 0.78407),
        ),
        "adobe": (
            (0.60974, 0.31111, 0.01947),
            (0.20528, 0.62567, 0.06087),
            (0.14919, 0.06322, 0.74457),
        ),
    }[space]
    red, green, blue = (_xyz(*primary) for primary in primaries)
    curve = _srgb_curve() if space == "p3" else _gamma(563 / 256)
    tags = {b"wtpt": _xyz(0.9642, 1, 0.8249), b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue}
    return _pack(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def _xyz(*parts: float) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(part * 65536) for part in parts))


def _gamma(exponent: float) -> bytes:
    return b"curv" + struct.pack(">IIHH", 0, 1, round(exponent * 256), 0)


def _srgb_curve() -> bytes:
    values = [round(65535 * decode_srgb(step / 255)) for step in range(256)]
    return b"curv" + struct.pack(">II256H", 0, 256, *values)


def _pack(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = tags | {b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78)}
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"test", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += _xyz(0.9642, 1, 0.8249)[8:] + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


def build_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def add_chunk(png: bytes, kind: bytes, body: bytes, *, before: bytes = b"IDAT") -> bytes:
    at = png.index(before) - 4
    return png[:at] + build_chunk(kind, body) + png[at:]


def build_exif(*, index: str = "R03", colour_space: int = 65535) -> Image.Exif:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: colour_space, 0xA005: {1: index}}
    return exif


def make_rgb16_png(image: Image.Image) -> bytes:
    """Sixteen bits of each colour, which Pillow does not write."""
    width, height = image.size
    rows = b"".join(
        b"\0" + bytes(byte for value in row for byte in (value, value))
        for row in (image.crop((0, y, width, y + 1)).tobytes() for y in range(height))
    )
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    body = build_chunk(b"IHDR", head) + build_chunk(b"IDAT", zlib.compress(rows, 1))
    return b"\x89PNG\r\n\x1a\n" + body + build_chunk(b"IEND", b"")
