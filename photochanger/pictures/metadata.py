"""Find a picture's metadata without decoding: what to cut so that pixels stay as they are."""

import re
import zlib
from collections.abc import Iterator
from typing import IO

# More than any camera or program writes; without a limit a hostile file costs minutes.
MAX_JPEG_SEGMENTS, MAX_PNG_CHUNKS = 1_000, 50_000
JPEG_COLOUR_APPS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
JPEG_PROFILE_APP = 0xE2
JFIF_LENGTH = 16  # without a thumbnail, and without its marker
JFIF_END = 2 + 2 + JFIF_LENGTH
JPEG_LONE_MARKERS = (0x01, *range(0xD0, 0xD9))  # they have no length: not all readers know that
# In pixel data FF 00 is an escaped byte, FF D0-D7 are restart markers and FF FF is padding.
JPEG_MARKER_AFTER_PIXELS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
PNG_PROFILE_CHUNKS = frozenset((b"gAMA", b"cHRM", b"iCCP", b"cICP"))
PNG_CHUNKS_KEPT = PNG_PROFILE_CHUNKS | frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"sRGB", b"sBIT", b"pHYs")
)
PNG_HEAD_BYTES = 8 + 25  # the signature and IHDR
MAX_PROFILE_BYTES = 4 * 1024 * 1024  # the largest ones of printers have 2.7 MB
PNG_CHUNKS_READ = {  # and how long they are, at least and at most
    b"IHDR": (13, 64 * 1024),
    b"cICP": (4, 4),
    b"gAMA": (4, 4),
    b"cHRM": (32, 32),
    b"sRGB": (1, 1),
    b"iCCP": (1, MAX_PROFILE_BYTES),
    b"eXIf": (1, 64 * 1024),  # an EXIF segment of a JPEG has no more
}
PNG_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
PNG_TEXTS_READ = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # they may say which way is up
MAX_TEXT_BYTES = 256 * 1024
MAX_WEBP_CHUNKS = 1_000
MAX_AVIF_BOXES, MAX_META_BYTES = 100, 1024 * 1024
WEBP_PIXEL_CHUNKS = (b"VP8 ", b"VP8L", b"ANMF")
Ranges = tuple[tuple[int, int], ...]


def find_ranges_without_metadata(
    file: IO[bytes], size: int, *, keep_profile: bool = True
) -> Ranges | None:
    """What to keep of the file, or None when its metadata cannot simply be cut out.

    ``keep_profile``: or cut the colour profile too, of a picture in sRGB, which needs none.
    """
    file.seek(0)
    head = file.read(12)
    try:
        if head.startswith(b"\xff\xd8"):
            return _scan_jpeg(file, size, keep_profile=keep_profile)
        if head.startswith(b"\x89PNG"):
            return _scan_png(file, size, keep_profile=keep_profile)
        return _scan_webp(file, size)
    except IndexError:
        return None  # the file ends too early: leave it to the decoder


def _invert_cuts(cuts: list[tuple[int, int]], *, end: int) -> Ranges:
    """The ranges between the cuts, up to ``end``."""
    starts = (0, *(cut_end for _, cut_end in cuts))
    ends = (*(cut_start for cut_start, _ in cuts), end)
    return tuple(pair for pair in zip(starts, ends, strict=True) if pair[0] < pair[1])


def _scan_jpeg(file: IO[bytes], size: int, *, keep_profile: bool) -> Ranges | None:
    """Everything but EXIF, XMP, IPTC, comments and what cameras append behind the end; and but
    JFIF's segment where it has a thumbnail, see ``read_bare_jfif``."""
    cuts: list[tuple[int, int]] = []
    position = 2
    for _ in range(MAX_JPEG_SEGMENTS):
        file.seek(position)
        head = file.read(20)  # marker, length, and the name of an APP segment
        marker, length = head[1], int.from_bytes(head[2:4])
        if head[0] != 0xFF or marker in JPEG_LONE_MARKERS:
            return None
        if marker == 0xFF:  # padding before a marker
            position += 1
            continue
        if marker == 0xD9:
            return _invert_cuts(cuts, end=position + 2)
        if length < 2:
            return None
        end = position + 2 + length
        is_app = 0xE0 <= marker <= 0xEF
        is_of_colours = head[4:].startswith(JPEG_COLOUR_APPS.get(marker, b"none"))
        has_thumbnail = marker == 0xE0 and length > JFIF_LENGTH
        is_profile = marker == JPEG_PROFILE_APP and not keep_profile
        if marker == 0xFE or (is_app and not is_of_colours) or has_thumbnail or is_profile:
            cuts.append((position, end))
        position = end
        if marker == 0xDA:  # pixels begin: whatever interrupts or follows them, announced or not
            position = _find_marker(file, start=end)  # 8 ms for 15 MB
            if position < 0:
                return _invert_cuts(cuts, end=size)
    return None


def read_bare_jfif(file: IO[bytes]) -> bytes:
    """The beginning of a JPEG, up to JFIF's own segment without its thumbnail; empty where another
    segment is the first."""
    file.seek(0)
    head = file.read(JFIF_END)
    if head[2:4] != b"\xff\xe0" or head[6:11] != JPEG_COLOUR_APPS[0xE0] or len(head) < JFIF_END:
        return b""
    return head[:4] + JFIF_LENGTH.to_bytes(2) + head[6:-2] + bytes(2)


def _find_marker(file: IO[bytes], *, start: int) -> int:
    """Where the pixels that begin at ``start`` end; -1 when the file ends with them."""
    file.seek(start)
    position, tail = start, b""
    while chunk := file.read(1024 * 1024):
        if found := JPEG_MARKER_AFTER_PIXELS.search(tail + chunk):
            return position - len(tail) + found.start()
        position += len(chunk)
        tail = chunk[-1:]
    return -1


def _scan_png(file: IO[bytes], size: int, *, keep_profile: bool) -> Ranges | None:
    """Up to IEND, the chunks of the picture and its colours: no text, no animation."""
    cuts: list[tuple[int, int]] = []
    kept = PNG_CHUNKS_KEPT if keep_profile else PNG_CHUNKS_KEPT - PNG_PROFILE_CHUNKS
    position, has_pixels = 8, False  # some animations have none outside of their frames
    for _ in range(MAX_PNG_CHUNKS):
        file.seek(position)
        head = file.read(8)
        kind, end = head[4:8], position + 12 + int.from_bytes(head[:4])
        if end > size or (kind == b"IHDR") != (position == 8):
            return None
        if position == 8 and end != PNG_HEAD_BYTES:  # readers differ about what stands behind it
            return None
        if kind == b"IEND":
            return _invert_cuts(cuts, end=end) if end == position + 12 and has_pixels else None
        is_late = (
            has_pixels and kind != b"IDAT"
        )  # what stands behind the pixels says nothing of them
        has_pixels |= kind == b"IDAT"
        if kind not in kept or is_late:
            cuts.append((position, end))
        position = end
    return None


def read_png_chunks(file: IO[bytes]) -> dict[bytes, bytes]:
    """The chunks of ``PNG_CHUNKS_READ``, and by their names the texts of ``PNG_TEXTS_READ``,
    wherever they stand: some programs put EXIF behind the pixels. One of a wrong length says
    nothing. Where the file stands is kept."""
    found: dict[bytes, bytes] = {}
    before = file.tell()
    for kind, start, end in iter_png_chunks(file):
        least, most = PNG_CHUNKS_READ.get(kind, (1, 0))
        if least <= end - start - 12 <= most:
            file.seek(start + 8)
            found.setdefault(kind, file.read(end - start - 12))
        elif kind in PNG_TEXT_CHUNKS and end - start <= MAX_TEXT_BYTES:
            file.seek(start + 8)
            name, _, text = file.read(end - start - 12).partition(b"\0")
            if name in PNG_TEXTS_READ:
                found.setdefault(name, _unpack_text(kind, text))
    file.seek(before)
    return found


def _unpack_text(kind: bytes, text: bytes) -> bytes:
    """What stands behind the name; of many languages, the words of two more come first."""
    is_packed = kind == b"zTXt"
    if kind == b"iTXt":
        is_packed = text[:1] == b"\1"
        text = text[:1] + text[2:].split(b"\0", 2)[-1]
    elif not is_packed:
        return text
    try:
        return zlib.decompressobj().decompress(text[1:], MAX_TEXT_BYTES) if is_packed else text[1:]
    except zlib.error:
        return b""


def iter_png_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk before IEND, and its place with length and checksum; the last one may
    promise more than the file has."""
    position = 8
    for _ in range(MAX_PNG_CHUNKS):
        file.seek(position)
        head = file.read(8)
        kind, end = head[4:8], position + 12 + int.from_bytes(head[:4])
        if len(head) < 8 or kind == b"IEND":
            return
        yield kind, position, end
        position = end


def _scan_webp(file: IO[bytes], size: int) -> Ranges | None:
    """The picture if it has the simple file format; the extended one may hold metadata."""
    file.seek(0)
    head = file.read(20)
    whole, length = (int.from_bytes(head[at : at + 4], "little") for at in (4, 16))
    end = 20 + length + length % 2
    is_plain = head[12:16] in (b"VP8 ", b"VP8L") and end == 8 + whole <= size
    return ((0, end),) if is_plain else None


def find_webp_pixels(file: IO[bytes]) -> tuple[int, int]:
    """Where the first picture's pixels begin and end; twice 0 where none are found."""
    position = 12
    for _ in range(MAX_WEBP_CHUNKS):
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8:
            break
        if head[:4] in WEBP_PIXEL_CHUNKS:
            return position + 8, position + 8 + length
        position += 8 + length + length % 2
    return 0, 0


def read_avif_colours(file: IO[bytes]) -> bytes:
    """The numbers of an AVIF's primaries and transfer, two bytes like the first of a PNG's cICP;
    empty where it does not tell. Where the file stands is kept."""
    position, before, meta = 0, file.tell(), b""
    for _ in range(MAX_AVIF_BOXES):
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[:4])
        if head[4:] == b"meta":
            meta = file.read(min(length, MAX_META_BYTES))
        if length == 1:
            length = int.from_bytes(file.read(8))
        if meta or length < 8:
            break
        position += length
    file.seek(before)
    _, _, code = meta.partition(b"colrnclx")  # of the first picture: 16 bits each
    return code[1:4:2] if code[:4:2] == bytes(2) else b""
