"""The picture that a messenger shows beside a link: a JPEG of at most 300 kB.

Messengers leave out what is larger, and some what is no JPEG. It is made when it is asked for and
kept in memory for a while; nothing more is stored that would have to be forgotten.
"""

import asyncio
import io
import threading
import uuid
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from PIL import Image, ImageFile

from media import storage
from media.models import MediaObject
from media.previews import decode_result
from photochanger.errors import RateLimited, StorageError
from photochanger.pictures.provenance import AI_MADE_XMP

SIDE_PX = 1200
MAX_BYTES = 300_000
QUALITIES = (85, 75, 60, 45, 30)
KEPT = 16  # pictures, in each process: 5 MB at most
MAX_WAITING = 32
HEAD_BYTES = 64 * 1024  # the size stands within
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)

# One at a time: photos in progress keep their threads and their core.
_maker = ThreadPoolExecutor(1, thread_name_prefix="share")
_lock = threading.Lock()
_made: OrderedDict[uuid.UUID, bytes] = OrderedDict()
_in_work: dict[uuid.UUID, Future[bytes]] = {}


class Size(NamedTuple):
    width: int
    height: int


async def make_share_picture(result: MediaObject) -> bytes:
    """Raises ResultNotFound, StorageError, RateLimited when too many are waited for."""
    with _lock:
        if made := _made.get(result.pk):
            _made.move_to_end(result.pk)
            return made
        work = _in_work.get(result.pk)
        if work is None:
            if len(_in_work) >= MAX_WAITING:
                raise RateLimited("too many small pictures at once", retry_after_s=2)
            work = _in_work[result.pk] = _maker.submit(_make, result)
    # Shielded: one caller who goes away must not take the picture from the others.
    return await asyncio.shield(asyncio.wrap_future(work))


def _make(result: MediaObject) -> bytes:
    """Blocking: 30-80 ms."""
    try:
        body = _encode(_decode(result))
    finally:
        with _lock:
            _in_work.pop(result.pk, None)
    with _lock:
        _made[result.pk] = body
        while len(_made) > KEPT:
            _made.popitem(last=False)
    return body


def _decode(result: MediaObject) -> Image.Image:
    image, header, _ = decode_result(result, max_side_px=SIDE_PX)
    is_lying = header.orientation in LYING
    shown = Size(header.height, header.width) if is_lying else Size(header.width, header.height)
    return image.convert("RGB").resize(fit_size(shown), Image.Resampling.BICUBIC)


def _encode(image: Image.Image) -> bytes:
    """Noise of 1200 px at quality 30 has 250 kB: the last one always fits."""
    for quality in QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, progressive=True, xmp=AI_MADE_XMP)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


def fit_size(size: Size) -> Size:
    """At most ``SIDE_PX`` on its longer side, never larger than it is."""
    scale = min(1.0, SIDE_PX / max(size))
    return Size(*(max(1, round(side * scale)) for side in size))


async def measure_picture(result: MediaObject) -> Size | None:
    """Width and height as they are shown, from the file's head; None when it cannot be told."""
    parser = ImageFile.Parser()
    with suppress(OSError, StorageError, SyntaxError, ValueError):
        length = min(HEAD_BYTES, result.size_bytes)
        chunks = await storage.open_chunks(result.path, start=0, length=length)
        async for chunk in chunks:
            parser.feed(chunk)
            if parser.image is not None:
                chunks.close()
                return _get_upright_size(parser.image)
    return None


def _get_upright_size(image: Image.Image) -> Size:
    width, height = image.size
    exif = Image.Exif()  # not the image's own: a PNG would be decoded for it
    exif.load(image.info.get("exif") or b"")
    is_lying = exif.get(ORIENTATION) in LYING
    return Size(height, width) if is_lying else Size(width, height)
