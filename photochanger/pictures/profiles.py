"""ICC profiles of colour spaces that a picture names without embedding one, or in a PNG's way."""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache

from photochanger.pictures.metadata import MAX_PROFILE_BYTES

XY = tuple[float, float]
Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
Curve = Callable[[float], float]

D65: XY = (0.3127, 0.3290)
D50: Vector = (0.9642, 1.0, 0.8249)  # ICC's own white
D50_XY: XY = (0.3457, 0.3585)
BRADFORD: Matrix = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
SRGB_PRIMARIES: tuple[XY, XY, XY] = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_PRIMARIES: tuple[XY, XY, XY] = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
PROPHOTO_PRIMARIES: tuple[XY, XY, XY] = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
SAME_POINT = 0.005
PRIMARIES_BY_CICP = {  # ITU-T H.273; the white of all is D65
    1: SRGB_PRIMARIES,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
CURVE_STEPS = 1024
SRGB_GAMMA, GAMMA_TOLERANCE = 1 / 2.2, 0.02  # what PNGs write for sRGB's curve


def decode_srgb(value: float) -> float:
    """sRGB's curve: light of a stored value, both 0 to 1."""
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=32)  # one and the same for `build_profile`
def make_power_curve(exponent: float) -> Curve:
    return lambda value: float(value**exponent)


CURVES_BY_CICP: dict[int, Curve] = {
    **dict.fromkeys((1, 2, 6, 13, 14, 15), decode_srgb),  # 2: not told
    4: make_power_curve(2.2),
    5: make_power_curve(2.8),
    8: make_power_curve(1.0),
}


def unpack_png_profile(chunk: bytes) -> bytes:
    """The profile that a PNG embeds: the name, 0, the method, and its bytes packed; empty where
    they cannot be unpacked, or are too many."""
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(chunk.partition(b"\0")[2][1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else profile


def build_png_profile(chunks: dict[bytes, bytes]) -> bytes:
    """The profile that a PNG's older chunks describe; empty without any, or for sRGB.

    A gamma alone is not believed: old programs wrote 1.0 and meant nothing by it.
    """
    if b"sRGB" in chunks or b"cHRM" not in chunks:
        return b""
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")) / 100_000
    try:
        points = [value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"])]
        return build_chromaticity_profile(points, 1 / gamma if gamma else 1 / SRGB_GAMMA)
    except (ValueError, ZeroDivisionError, struct.error):
        return b""  # nonsense says nothing


def build_cicp_profile(code: bytes) -> bytes | None:
    """Of the numbers of primaries and transfer, as a PNG and an AVIF have them; empty for sRGB.

    None for what is unknown, or cannot be shown in eight bits as it is (HDR).
    """
    primaries, curve = PRIMARIES_BY_CICP.get(code[0]), CURVES_BY_CICP.get(code[1])
    if primaries is None or curve is None:
        return None
    if primaries == SRGB_PRIMARIES and curve is decode_srgb:
        return b""
    return build_profile(primaries, D65, curve)


def build_chromaticity_profile(points: Sequence[float], exponent: float) -> bytes:
    """``points``: x and y of white, red, green and blue. About 2.2 means sRGB's curve, but with
    Adobe's primaries. Raises ValueError, ZeroDivisionError."""
    white, red, green, blue = zip(points[::2], points[1::2], strict=True)
    found, adobe = (*red, *green, *blue), sum(ADOBE_PRIMARIES, ())
    is_adobe = all(abs(a - b) < SAME_POINT for a, b in zip(found, adobe, strict=True))
    is_srgb = not is_adobe and abs(1 / exponent - SRGB_GAMMA) < GAMMA_TOLERANCE
    curve = decode_srgb if is_srgb else make_power_curve(exponent)
    return build_profile((red, green, blue), white, curve)


def find_named_profile(xmp: bytes) -> bytes:
    """Of the colour space that a program names in XMP; empty for sRGB and what is unknown."""
    found = PROFILE_NAME.search(xmp)
    name = re.sub(rb"[^a-z0-9]", b"", found[1].lower()) if found else b""
    spaces = (space for start, space in NAMED_SPACES.items() if name.startswith(start))
    space = next(spaces, None)
    return build_profile(*space) if space else b""


@lru_cache(maxsize=32)
def build_profile(primaries: tuple[XY, XY, XY], white: XY, curve: Curve) -> bytes:
    """A matrix profile of RGB with one curve for the three. ValueError: not a colour space."""
    columns = [_find_xyz(point) for point in primaries]
    matrix: Matrix = tuple(zip(*columns, strict=True))  # type: ignore[assignment]
    white_xyz = _find_xyz(white)
    scale = _multiply(_invert(matrix), white_xyz)
    adapt = _find_adaptation(white_xyz)
    red, green, blue = (
        _multiply(adapt, tuple(part * by for part in column))  # type: ignore[arg-type]
        for column, by in zip(columns, scale, strict=True)
    )
    steps = (curve(step / (CURVE_STEPS - 1)) for step in range(CURVE_STEPS))
    table = [min(65535, max(0, round(value * 65535))) for value in steps]
    tone = b"curv" + struct.pack(f">II{CURVE_STEPS}H", 0, CURVE_STEPS, *table)
    tags = {b"wtpt": _pack_xyz(D50), b"rXYZ": _pack_xyz(red), b"gXYZ": _pack_xyz(green)}
    tags |= {b"bXYZ": _pack_xyz(blue)} | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
    return _pack_profile(tags | {b"desc": _pack_description(b"RGB"), b"cprt": _pack_text(b"none")})


def _find_xyz(point: XY) -> Vector:
    x, y = point
    return (x / y, 1.0, (1 - x - y) / y)


def _multiply(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return (first, second, third)


def _invert(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if abs(det) < 1e-9:
        raise ValueError("the primaries stand in one line")
    return (
        ((e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det),
        ((f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det),
        ((d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det),
    )


def _find_adaptation(white: Vector) -> Matrix:
    """Bradford's, from that white to ICC's."""
    source, target = _multiply(BRADFORD, white), _multiply(BRADFORD, D50)
    scaled: Matrix = tuple(  # type: ignore[assignment]
        tuple(part * target[n] / source[n] for part in BRADFORD[n]) for n in range(3)
    )
    columns = [_multiply(_invert(BRADFORD), column) for column in zip(*scaled, strict=True)]
    return tuple(zip(*columns, strict=True))  # type: ignore[return-value]


def _pack_xyz(value: Vector) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(round(part * 65536) for part in value))


def _pack_text(text: bytes) -> bytes:
    return b"text" + bytes(4) + text + b"\0"


def _pack_description(text: bytes) -> bytes:
    return b"desc" + struct.pack(">II", 0, len(text) + 1) + text + b"\0" + bytes(78)


def _pack_profile(tags: dict[bytes, bytes]) -> bytes:
    """ICC version 2.1; equal tags share their bytes."""
    at, places, body = 128 + 4 + 12 * len(tags), {}, b""
    for data in tags.values():
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
    entries = b"".join(
        name + struct.pack(">II", places[data], len(data)) for name, data in tags.items()
    )
    head = struct.pack(">I4xI4s4s4s", at + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(part * 65536) for part in D50)) + bytes(48)
    return head + struct.pack(">I", len(tags)) + entries + body


ADOBE_SPACE = (ADOBE_PRIMARIES, D65, make_power_curve(563 / 256))
ADOBE_RGB = build_profile(*ADOBE_SPACE)
PROFILE_NAME = re.compile(rb":ICCProfile\s*(?:=\s*[\"']|>)([^<\"']{1,99})")
NAMED_SPACES = {  # by how their names begin, small letters and digits alone
    b"adobergb": ADOBE_SPACE,
    b"displayp3": (PRIMARIES_BY_CICP[12], D65, decode_srgb),
    b"prophotorgb": (PROPHOTO_PRIMARIES, D50_XY, make_power_curve(1.8)),
}
