"""Attacks of those who know a booth's password: pictures that cost far more than they weigh."""

import io
import itertools
from functools import cache

import httpx
from PIL import Image

from photochanger.testing.attack.strangers import Attack, Target, in_threads

AT_ONCE = 30


@cache
def _draw(kind: str, width: int, height: int, *, mode: str = "RGB", **options: bool) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, kind, **options)
    return out.getvalue()


def _post(target: Target, name: str, body: bytes) -> None:
    answer = httpx.post(
        f"{target.server.url}/ingest/slot-002",
        data={"password": target.password},
        files={"fileToUpload": (name, body, "image/jpeg")},
        timeout=120,
    )
    target.answers[str(answer.status_code)] += 1


def send_flat_pictures(target: Target) -> None:
    """As large as any may be, and of one colour: some kB each."""
    bodies = itertools.cycle(
        [_draw("PNG", 8000, 4000), _draw("WEBP", 5000, 4000), _draw("JPEG", 10000, 8000)]
    )
    in_threads(lambda target: _post(target, "a.jpg", next(bodies)), target, AT_ONCE)


def send_bombs(target: Target) -> None:
    """Larger than any may be."""
    body = _draw("PNG", 20000, 20000, mode="1")
    in_threads(lambda target: _post(target, "a.png", body), target, AT_ONCE)


def send_progressive_pictures(target: Target) -> None:
    """In many scans, each of which visits every pixel."""
    body = _draw("JPEG", 8000, 5500, progressive=True)
    in_threads(lambda target: _post(target, "a.jpg", body), target, AT_ONCE)


def send_torn_pictures(target: Target) -> None:
    whole = _draw("JPEG", 6000, 4000)
    cuts = itertools.cycle(range(len(whole) // 8, len(whole), len(whole) // 8))
    in_threads(lambda target: _post(target, "a.jpg", whole[: next(cuts)]), target, AT_ONCE)


INSIDERS: list[Attack] = [
    *(send_flat_pictures, send_bombs, send_progressive_pictures, send_torn_pictures),
]
