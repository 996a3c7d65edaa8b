"""What it costs to make sure of a photo and to make it smaller: CPU of one core, no server."""

import io
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements
from photochanger.pictures import Photo, encode, prepare_photo

MAX_MEGAPIXELS = 80
REPEATS = 3
SENT_SIDE_PX, MAX_SENT_BYTES = 2048, 1_500_000  # of a 15 MB photo, after base64


def pictures(photos: dict[str, Path], requirements: Requirements, console: Console) -> None:
    """Each photo as it is, and as a camera or program might also write it."""
    table = Table(title="A photo before it is sent: CPU, ms")
    for title in ("photo", "MB", "check only", "check and shrink", "sent, MB"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, body in list_cases(photos):
        photo = Photo.open(io.BytesIO(body), max_megapixels=MAX_MEGAPIXELS)
        check_ms, _ = measure(partial(prepare_photo, photo))
        shrink_ms, sent = measure(partial(prepare_photo, photo, max_side_px=SENT_SIDE_PX))
        sent_bytes = (sent.size_bytes + 2) // 3 * 4
        table.add_row(
            name,
            f"{len(body) / 1e6:.2f}",
            f"{check_ms:.0f}",
            f"{shrink_ms:.0f}",
            f"{sent_bytes / 1e6:.2f}",
        )
        if name == "15mb":
            words = f"{sent_bytes} bytes are sent of a 15 MB photo"
            requirements.require(sent_bytes <= MAX_SENT_BYTES, words)
    console.print(table)


def list_cases(photos: dict[str, Path]) -> list[tuple[str, bytes]]:
    cases = [(name, path.read_bytes()) for name, path in photos.items()]
    for name, path in photos.items():
        with Image.open(path) as image:
            image.load()
        again = io.BytesIO()
        image.save(again, "JPEG", quality=80, progressive=True)
        cases.append((f"{name}, progressive", again.getvalue()))
        if image.width <= 2000:
            cases.append((f"{name}, PNG", encode(image, "image/png", quality=0)))
    return cases


def measure(step: Callable[[], Any]) -> tuple[float, Any]:
    """The least CPU of a few runs, in milliseconds, and what the last one gave."""
    costs = []
    for _ in range(REPEATS):
        started = time.process_time()
        made = step()
        costs.append(1000 * (time.process_time() - started))
    return min(costs), made
