"""Pictures: photos of booths on their way to a service, and what services send back.

The first half makes them up, piece by piece (segments of JPEG, chunks of PNG and RIFF) so that
damage gets past checksums and into the decoders; the second half reads them as the product does.
"""

import random
import tempfile
from collections.abc import Callable

from django.conf import settings
from PIL import Image

from ingest.pipeline.result_check import check_result
from photochanger.errors import BadResponse, InvalidImage, UnsupportedMediaType
from photochanger.pictures import Photo, Picture, UnreadablePicture, decode, prepare_photo
from photochanger.pictures.cropping import Box
from photochanger.pictures.header import sniff_result
from photochanger.pictures.printing import PrintPlan
from photochanger.testing.fuzz.mutation import mutate
from photochanger.testing.fuzz.picture_pieces import bend_jpeg, bend_png, bend_webp
from photochanger.testing.fuzz.picture_seeds import list_jpegs, list_others, list_pngs, list_webps
from photochanger.testing.fuzz.target import MB, Target, Wrong, derive_random
from providers.base import DriverSettings
from providers.clean_photo import clean_photo, make_print_copy


def _find_head(image: Image.Image) -> list[Box]:
    return [Box(0, 0, image.width // 2, image.height)]


def _plan(size_px: tuple[int, int]) -> PrintPlan:
    return PrintPlan(find_heads=_find_head, size_px=size_px)


MAX_BYTES = 4 * MB
READING_BYTES = 64 * 1024
MOST_SENT_BYTES = (7 * MB, 7 * MB, 100_000, 1500)
PLANS = (None, None, *(_plan(size) for size in ((120, 180), (300, 100), (1, 1))))
REFUSALS = (UnsupportedMediaType, InvalidImage, UnreadablePicture)


def make_photo(rng: random.Random) -> bytes:
    bend: Callable[[random.Random], bytes] = rng.choice((bend_jpeg, bend_jpeg, bend_png, bend_webp))
    if rng.random() < 0.6:
        picture = bend(rng)[:MAX_BYTES]
        return picture if rng.random() < 0.7 else mutate(rng, picture)
    seeds = rng.choice((list_jpegs, list_pngs, list_webps))()
    return mutate(rng, rng.choice(seeds), seeds)


def make_result(rng: random.Random) -> bytes:
    if rng.random() < 0.6:
        return make_photo(rng)
    return mutate(rng, rng.choice(list_others()), list_others())


def try_photo(case: bytes) -> str:
    """From the booth's file to what a service and a printer get of it: that must be readable."""
    rng = derive_random(case)
    with tempfile.SpooledTemporaryFile(max_size=settings.UPLOAD_SPOOL_BYTES) as file:
        file.write(case)
        try:
            photo = Photo.open(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
            outgoing = prepare_photo(photo, max_side_px=rng.choice((None, 32, 2048)))
        except REFUSALS as exc:
            return type(exc).__name__
        try:
            sent = _read_as_sent(outgoing, rng.choice(MOST_SENT_BYTES))
            printed = _read_as_printed(outgoing) if rng.random() < 0.3 else None
        finally:
            if outgoing is not photo:
                outgoing.file.close()
    for body in (sent, printed):
        if body is not None:
            _check_readable(body)
    return "ok" if sent is not None else "refused when sent"


def _read_as_sent(photo: Photo, max_bytes: int) -> bytes | None:
    try:
        slices = clean_photo(photo, max_bytes=max_bytes)
    except UnreadablePicture:
        return None
    try:
        return b"".join(slices.read_chunks(READING_BYTES))
    finally:
        slices.close()


def _read_as_printed(photo: Photo) -> bytes | None:
    try:
        return make_print_copy(photo).body
    except UnreadablePicture:
        return None


def _check_readable(body: bytes) -> None:
    """What was found whole is whole when it leaves."""
    try:
        decode(body, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    except UnreadablePicture as exc:
        raise Wrong(f"passed, but what leaves {exc}") from exc


def try_result(case: bytes) -> str:
    rng = derive_random(case)
    rules = DriverSettings(
        output_format=rng.choice((None, "jpeg", "png")),
        output_max_side_px=rng.choice((None, None, 256)),
    )
    mime = sniff_result(case[:16])
    if mime is None:
        return "unknown kind"
    try:
        result = check_result(Picture(body=case, mime=mime), rules, rng.choice(PLANS))
    except BadResponse as exc:
        return type(exc).__name__
    _check_readable(result.body)
    result.credentials.to_json()
    return "ok"


PHOTOS = Target(
    name="photos", make_case=make_photo, try_case=try_photo, most_cpu_s=6.0, most_bytes=350 * MB
)
RESULTS = Target(
    name="results", make_case=make_result, try_case=try_result, most_cpu_s=6.0, most_bytes=350 * MB
)
