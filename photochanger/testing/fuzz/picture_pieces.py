"""Pictures taken apart, bent piece by piece, and put together with right lengths and checksums."""

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from photochanger.testing.fuzz.mutation import mutate
from photochanger.testing.fuzz.picture_seeds import (
    list_jpegs,
    list_pngs,
    list_webps,
    make_chunk,
    make_exif,
    make_profiles,
)

SIDES = (0, 1, 8, 15, 16, 63, 64, 65, 640, 5000, 16_383, 16_384, 30_000, 65_535, 100_000, 2**31 - 1)
JPEG_HEAD_END = b"\xff\xda"
MANY = (2, 20, 1200)
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta DigitalSourceType='http://cv.iptc.org/x'/>"
LABELS = (
    b"c2pa",
    b"urn:uuid:1",
    b"c2pa.claim",
    b"c2pa.assertions",
    b"c2pa.signature",
    b"c2pa.actions",
)
Pieces = list[bytes]


def bend_jpeg(rng: random.Random) -> bytes:
    segments, pixels = take_jpeg_apart(rng.choice(list_jpegs()))
    segments = _bend_pieces(rng, segments, _make_segment)
    if rng.random() < 0.4:
        pixels = mutate(rng, pixels)
    if rng.random() < 0.1:  # scan after scan
        pixels = pixels[:-2] * _choose_many(rng, len(pixels)) + pixels[-2:]
    return b"\xff\xd8" + b"".join(segments) + pixels


@cache
def take_jpeg_apart(body: bytes) -> tuple[Pieces, bytes]:
    """Its segments, and everything from the first scan on."""
    pieces: Pieces = []
    position = 2
    while body[position : position + 2] != JPEG_HEAD_END:
        end = position + 2 + int.from_bytes(body[position + 2 : position + 4])
        pieces.append(body[position:end])
        position = end
    return pieces, body[position:]


def _make_segment(rng: random.Random) -> bytes:
    marker, data = rng.choice(
        (
            (0xE1, b"Exif\0\0" + make_exif(rng)),
            (0xE1, XMP),
            (0xE2, b"ICC_PROFILE\0" + rng.randbytes(2) + _bend_profile(rng)),
            (0xE2, b"ICC_PROFILE\0\1\1" + _bend_profile(rng)),
            (0xE2, b"MPF\0" + make_exif(rng)),
            (0xEB, b"JP\0\1\0\0\0\1" + make_store(rng)),
            (0xED, b"Photoshop 3.0\0" + rng.randbytes(100)),
            (0xEE, b"Adobe\0" + rng.randbytes(7)),
            (0xC0, struct.pack(">BHHB", 8, rng.choice(SIDES) % 65_536, 64, 3) + rng.randbytes(9)),
            (0xC4, rng.randbytes(40)),
            (0xDB, rng.randbytes(65)),
            (0xDD, rng.randbytes(2)),
            (rng.randrange(0xC0, 0xFF), rng.randbytes(20)),
        )
    )
    data = data[:65_000]
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def bend_png(rng: random.Random) -> bytes:
    chunks = _bend_pieces(rng, take_chunks_apart(rng.choice(list_pngs())), _make_png_chunk)
    if rng.random() < 0.8:  # else their checksums tell
        chunks = [make_chunk(chunk[4:8], chunk[8:-4]) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@cache
def take_chunks_apart(body: bytes) -> Pieces:
    pieces: Pieces = []
    position = 8
    while position < len(body):
        end = position + 12 + int.from_bytes(body[position : position + 4])
        pieces.append(body[position:end])
        position = end
    return pieces


@cache
def _make_bomb(size: int) -> bytes:
    return zlib.compress(bytes(size), 1)


def _make_png_chunk(rng: random.Random) -> bytes:
    bomb = _make_bomb(rng.choice((1000, 1000, 1_000_000, 60_000_000)))
    side, other = rng.choice(SIDES), rng.choice(SIDES)
    depths = bytes((rng.choice((1, 2, 4, 8, 16, 3)), rng.choice((0, 2, 3, 4, 6, 1)), 0, 0))
    kind, data = rng.choice(
        (
            (b"IHDR", struct.pack(">II", side, other) + depths + bytes((rng.choice((0, 1)),))),
            (b"IDAT", bomb),
            (b"zTXt", b"a\0\0" + bomb),
            (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb),
            (b"iCCP", b"p\0\0" + rng.choice((bomb, zlib.compress(_bend_profile(rng), 1)))),
            (b"eXIf", make_exif(rng)),
            (b"caBX", make_store(rng)),
            (b"PLTE", rng.randbytes(rng.choice((3, 768, 4)))),
            (b"tRNS", rng.randbytes(rng.choice((1, 2, 6, 256)))),
            (b"gAMA", rng.choice((bytes(4), b"\xff" * 4, rng.randbytes(4)))),
            (b"cHRM", rng.choice((bytes(32), b"\xff" * 32, rng.randbytes(32)))),
            (b"cICP", bytes((rng.choice((0, 1, 9, 12)), rng.choice((0, 1, 13, 16)), 0, 1))),
            (b"pHYs", rng.choice((bytes(9), b"\xff" * 8 + b"\1", rng.randbytes(9)))),
            (b"acTL", struct.pack(">II", rng.choice(SIDES), 0)),
            (b"fcTL", rng.randbytes(26)),
            (b"fdAT", bytes(4) + bomb),
            (b"IEND", b""),
            (rng.randbytes(4), rng.randbytes(10)),
        )
    )
    return make_chunk(kind, data)


def bend_webp(rng: random.Random) -> bytes:
    chunks = _bend_pieces(rng, take_riff_apart(rng.choice(list_webps())), _make_riff_chunk)
    body = b"WEBP" + b"".join(chunks)
    size = len(body) if rng.random() < 0.8 else rng.choice(SIDES)
    return b"RIFF" + struct.pack("<I", size % 2**32) + body


@cache
def take_riff_apart(body: bytes) -> Pieces:
    pieces: Pieces = []
    position = 12
    while position < len(body):
        length = int.from_bytes(body[position + 4 : position + 8], "little")
        end = position + 8 + length + length % 2
        pieces.append(body[position:end])
        position = end
    return pieces


def _make_riff_chunk(rng: random.Random) -> bytes:
    size = (rng.choice(SIDES) % 2**24).to_bytes(3, "little")
    kind, data = rng.choice(
        (
            (b"VP8X", rng.randbytes(1) + bytes(3) + size + size),
            (b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + rng.randbytes(30)),
            (b"VP8L", b"\x2f" + rng.randbytes(30)),
            (b"ALPH", rng.randbytes(20)),
            (b"ANIM", rng.randbytes(6)),
            (b"ANMF", rng.randbytes(16) + b"VP8L\x10\0\0\0\x2f" + rng.randbytes(15)),
            (b"EXIF", make_exif(rng)),
            (b"ICCP", _bend_profile(rng)),
            (b"XMP ", XMP),
            (b"C2PA", make_store(rng)),
        )
    )
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _bend_profile(rng: random.Random) -> bytes:
    profile = rng.choice(make_profiles())
    return profile if rng.random() < 0.3 else mutate(rng, profile)


def make_store(rng: random.Random, depth: int = 0) -> bytes:
    """Content credentials: boxes in boxes, with CBOR in the innermost."""
    label = bytes(16) + rng.choice((b"\3", b"\2", b"\0")) + rng.choice(LABELS) + b"\0"
    inner = b"".join(
        make_store(rng, depth + 1) if depth < 3 and rng.random() < 0.7 else _make_box(rng)
        for _ in range(rng.choice((1, 1, 2, 3)))
    )
    body = struct.pack(">I", len(label) + 8) + b"jumd" + label + inner
    return struct.pack(">I", len(body) + 8) + b"jumb" + body


def _make_box(rng: random.Random) -> bytes:
    value = b"".join(rng.choice(CBOR)(rng) for _ in range(rng.choice((1, 3, 30))))
    length = rng.choice((len(value) + 8, len(value) + 8, 0, 1, 7, 2**32 - 1))
    return struct.pack(">I", length) + b"cbor" + value


CBOR: tuple[Callable[[random.Random], bytes], ...] = (
    lambda rng: bytes((rng.randrange(256),)),
    lambda rng: bytes((rng.choice((0x80, 0xA0, 0x40, 0x60, 0xC0)) + rng.randrange(24),)),
    lambda rng: bytes((rng.choice((0x9F, 0xBF, 0x5F, 0x7F, 0xFF)),)),
    lambda rng: b"\x9b" + rng.randbytes(8),
    lambda rng: b"\x81" * rng.choice((1, 50, 5000)),
    lambda rng: b"\xbb" + struct.pack(">Q", rng.choice((1, 2**20, 2**40))),
    lambda rng: b"\x7a" + struct.pack(">I", rng.choice((3, 2**31))) + b"abc",
    lambda rng: b"\x74claim_generator_info" + b"\x81\xa1\x64name\x61x",
    lambda rng: b"\xfb\x7f\xf0" + bytes(6),
)


def _bend_pieces(
    rng: random.Random, pieces: Pieces, make: Callable[[random.Random], bytes]
) -> Pieces:
    """A copy with some pieces changed, gone, twice, elsewhere, or new."""
    bent = list(pieces)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(bent)) if bent else 0
        match rng.randrange(6):
            case 0 if bent:
                del bent[at]
            case 1 if bent:
                bent[at] = mutate(rng, bent[at])
            case 2 if bent:
                bent.insert(rng.randrange(len(bent)), bent.pop(at))
            case 3 if bent:
                bent[at:at] = [bent[at]] * _choose_many(rng, len(bent[at]))
            case 4:
                piece = make(rng)
                bent[at:at] = [piece] * _choose_many(rng, len(piece))
            case _:
                bent.insert(at, make(rng))
    return bent


def _choose_many(rng: random.Random, size: int) -> int:
    many = rng.choice(MANY) if rng.random() < 0.9 else 60_000
    return max(1, min(many, 1_000_000 // max(1, size)))
