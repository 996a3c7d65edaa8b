"""Say inside of a picture that an AI made it: IPTC's Digital Source Type, in XMP.

IPTC knows media "created" by a trained model and media "edited" with one, where a part of what a
camera saw remains. Services paint every pixel of a result anew after the photo: created.
"""

import struct
import zlib
from collections.abc import Iterator

from photochanger.pictures.header import JPEG
from photochanger.pictures.metadata import PNG_HEAD_BYTES, Ranges

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
AI_MADE = "trainedAlgorithmicMedia"
AI_MADE_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPES}{AI_MADE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
).encode()
JPEG_XMP, PNG_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"XML:com.adobe.xmp"


def mark_ranges(body: bytes, ranges: Ranges, mime: str) -> Iterator[memoryview]:
    """The ranges of a JPEG or PNG with the mark after its head: to be joined, in one copy."""
    (start, end), *others = ranges
    # JFIF's segment may be among what is left out.
    place = min(end, _find_place(body)) if mime == JPEG else PNG_HEAD_BYTES
    view, mark = memoryview(body), memoryview(JPEG_MARK if mime == JPEG else PNG_MARK)
    yield from (view[start:place], mark, view[place:end])
    yield from (view[start:end] for start, end in others)


def _find_place(body: bytes) -> int:
    """Behind the first marker, and behind JFIF's own segment, which wants to be the first."""
    has_jfif = body[2:4] == b"\xff\xe0" and body[6:11] == b"JFIF\0"
    return 4 + int.from_bytes(body[4:6]) if has_jfif else 2


def _make_jpeg_segment(xmp: bytes) -> bytes:
    payload = JPEG_XMP + xmp
    return b"\xff\xe1" + struct.pack(">H", 2 + len(payload)) + payload


def _make_png_chunk(xmp: bytes) -> bytes:
    """iTXt: not compressed, of no language."""
    data = b"iTXt" + PNG_XMP + b"\0" + bytes(4) + xmp
    return struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


JPEG_MARK, PNG_MARK = _make_jpeg_segment(AI_MADE_XMP), _make_png_chunk(AI_MADE_XMP)
