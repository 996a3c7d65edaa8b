"""Whole pictures of every kind that the product reads, for others to damage."""

import io
import random
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image, ImageCms, TiffImagePlugin

EXIF_TAGS = (0x0112, 0x8769, 0xA005, 0x8825, 0x0100, 0x010F, 0xA001, 0x0001, 0x9286, 0x927C, 0x0201)
TIFF_TYPES = (0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 99)
COUNTS = (0, 1, 2, 7, 1000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@cache
def make_profiles() -> tuple[bytes, ...]:
    """Colour profiles: sRGB, another RGB, and such as are of no picture."""
    made = [ImageCms.ImageCmsProfile(ImageCms.createProfile(name)) for name in ("sRGB", "LAB")]
    whole = [profile.tobytes() for profile in made]
    grey = whole[0][:16] + b"GRAY" + whole[0][20:]
    inks = whole[0][:16] + b"CMYK" + whole[0][20:]
    wide = whole[0].replace(b"sf32", b"sf32", 1).replace(b"\x00\x00\x6f\xa2", b"\x00\x00\x9f\xa2")
    return (*whole, grey, inks, wide, b"", bytes(200))


def make_exif(rng: random.Random) -> bytes:
    """A TIFF structure with some sense and much nonsense: loops, lengths, unknown kinds."""
    order, pack = rng.choice(((b"II*\0", "<"), (b"MM\0*", ">")))
    body = bytearray(order + struct.pack(pack + "I", 8))
    for _ in range(rng.choice((1, 1, 2, 3))):
        tags = [rng.choice(EXIF_TAGS) for _ in range(rng.choice((1, 2, 5, 200)))]
        body += struct.pack(pack + "H", len(tags) if rng.random() < 0.9 else 0xFFFF)
        for tag in tags:
            value = rng.choice((0, 1, 2, 6, 8, 10, 60, 0x60000, 0xFFFFFFFF, rng.randrange(2**32)))
            kind = 3 if tag == 0x0112 else rng.choice(TIFF_TYPES)
            count = 1 if tag == 0x0112 else rng.choice(COUNTS)
            body += struct.pack(pack + "HHII", tag, kind, count, value)
        body += struct.pack(pack + "I", rng.choice((0, 0, 8, len(body), 0xFFFFFFFF)))
    return bytes(body) + rng.randbytes(rng.choice((0, 64)))


@cache
def _draw(mode: str, size: tuple[int, int]) -> Image.Image:
    grey = Image.radial_gradient("L").resize(size)
    image = Image.merge("RGB", (grey, grey.rotate(90).resize(size), Image.new("L", size, 80)))
    if mode in ("RGBA", "LA"):
        image.putalpha(grey)
    return image if mode == "RGB" else image.convert(mode)


def _save(kind: str, mode: str, size: tuple[int, int] = (80, 64), **options: Any) -> bytes:
    out = io.BytesIO()
    _draw(mode, size).save(out, kind, **options)
    return out.getvalue()


def _make_exif_block() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    return exif.tobytes()


@cache
def list_jpegs() -> tuple[bytes, ...]:
    exif, icc = _make_exif_block(), make_profiles()[0]
    return (
        _save("JPEG", "RGB"),
        _save("JPEG", "L"),
        _save("JPEG", "CMYK"),
        _save("JPEG", "RGB", progressive=True),
        _save("JPEG", "RGB", exif=exif, icc_profile=icc, dpi=(300, 300), comment="a"),
        _save("JPEG", "RGB", subsampling=0, restart_marker_blocks=1),
        _save("JPEG", "L", progressive=True, exif=exif, icc_profile=make_profiles()[2]),
        _save("JPEG", "CMYK", icc_profile=make_profiles()[3]),
        _save("JPEG", "RGB", (400, 300), quality=95, exif=exif),
        _save("MPO", "RGB", save_all=True, append_images=[_draw("RGB", (32, 32))]),
    )


@cache
def list_pngs() -> tuple[bytes, ...]:
    exif, icc = _make_exif_block(), make_profiles()[0]
    frames = {"save_all": True, "append_images": [_draw("RGB", (80, 64)).rotate(180)]}
    return (
        *(_save("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")),
        _save("PNG", "P", transparency=3),
        _save("PNG", "RGB", transparency=(0, 0, 0), exif=exif, icc_profile=icc, dpi=(72, 72)),
        _save("PNG", "RGB", **frames),
        _save("PNG", "L", (400, 300), icc_profile=make_profiles()[2]),
        _make_png(16, 2, bytes(64 * (1 + 80 * 6))),
        _make_png(8, 2, bytes(30_000), interlace=1),
    )


def _make_png(depth: int, colours: int, pixels: bytes, interlace: int = 0) -> bytes:
    """Of kinds that Pillow does not write."""
    head = struct.pack(">IIBBBBB", 80, 64, depth, colours, 0, 0, interlace)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(make_chunk(kind, data) for kind, data in chunks)


def make_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


@cache
def list_webps() -> tuple[bytes, ...]:
    exif, icc = _make_exif_block(), make_profiles()[0]
    frames = {"save_all": True, "append_images": [_draw("RGB", (80, 64)).rotate(180)]}
    return (
        _save("WEBP", "RGB"),
        _save("WEBP", "RGB", lossless=True),
        _save("WEBP", "RGBA"),
        _save("WEBP", "RGB", exif=exif, icc_profile=icc, xmp=b"<x:xmpmeta/>"),
        _save("WEBP", "RGB", **frames),
    )


@cache
def list_others() -> tuple[bytes, ...]:
    """What a service may send besides."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = 8
    return (
        *(_save("GIF", mode) for mode in ("P", "L")),
        *(_save("BMP", mode) for mode in ("RGB", "P", "1")),
        _save("TIFF", "RGB", tiffinfo=tags),
        *(
            _save("TIFF", "L", compression=name)
            for name in ("tiff_lzw", "jpeg", "tiff_adobe_deflate")
        ),
        _save("TIFF", "CMYK"),
        _save("AVIF", "RGB"),
        _save("AVIF", "RGBA", exif=_make_exif_block()),
    )
