"""Attacks of those who know a booth's password: pictures that cost far more than they weigh."""

import io
import itertools
from functools import cache

from PIL import Image

from photochanger.testing.attack.target import Attack, Target, make_photo_post, send_in_turn

AT_ONCE = 30


@cache
def _draw(kind: str, width: int, height: int, *, mode: str = "RGB", **options: bool) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, kind, **options)
    return out.getvalue()


def _send_all(target: Target, *photos: bytes) -> None:
    requests = itertools.cycle(
        [make_photo_post("slot-002", target.password, photo) for photo in photos]
    )
    send_in_turn(target, AT_ONCE, lambda: next(requests))


def send_flat_pictures(target: Target) -> None:
    """As large as any may be, and of one colour: some kB each."""
    _send_all(
        target, _draw("PNG", 8000, 4250), _draw("WEBP", 5250, 4000), _draw("JPEG", 10000, 8000)
    )


def send_bombs(target: Target) -> None:
    """Larger than any may be."""
    _send_all(target, _draw("PNG", 20000, 20000, mode="1"))


def send_progressive_pictures(target: Target) -> None:
    """In many scans, each of which visits every pixel."""
    _send_all(target, _draw("JPEG", 8000, 5500, progressive=True))


def send_torn_pictures(target: Target) -> None:
    whole = _draw("JPEG", 6000, 4000)
    cuts = range(len(whole) // 8, len(whole), len(whole) // 8)
    _send_all(target, *(whole[:cut] for cut in cuts))


INSIDERS: list[Attack] = [
    *(send_flat_pictures, send_bombs, send_progressive_pictures, send_torn_pictures),
]
