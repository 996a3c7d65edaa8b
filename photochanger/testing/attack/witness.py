"""A booth and a monitor that are in the right, and the weight of the server, during an attack."""

import io
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import httpx
from PIL import Image

from photochanger.testing.server_process import Server

PAUSE_S = 0.2
GIVE_UP_S = 60.0


@dataclass
class Witness:
    """Seconds of each answer; ``lost`` are good photos that did not come back as pictures."""

    server: Server
    password: str
    photos_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    most_bytes: int = 0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self.bytes_before = self.server.rss_bytes()
        works = (self._post, self._probe, self._weigh)
        self._threads = [threading.Thread(target=self._repeat, args=[work]) for work in works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @property
    def grown_mb(self) -> float:
        return max(0, self.most_bytes - self.bytes_before) / 1e6

    def _repeat(self, work: Callable[[int], None]) -> None:
        number = 0
        while not self._ended.is_set():
            work(number)
            number += 1
            self._ended.wait(PAUSE_S)

    def _post(self, number: int) -> None:
        out = io.BytesIO()
        colour = (number % 256, number // 256 % 256, int(time.monotonic()) % 256)
        Image.new("RGB", (900, 600), colour).save(out, "JPEG")
        begun = time.monotonic()
        try:
            answer = httpx.post(
                f"{self.server.url}/ingest/slot-001",
                data={"password": self.password},
                files={"fileToUpload": ("IMG_0001.JPG", out.getvalue(), "image/jpeg")},
                timeout=GIVE_UP_S,
            )
        except httpx.HTTPError as exc:
            self.lost.append(type(exc).__name__)
            return
        if answer.status_code != 200:
            self.lost.append(f"{answer.status_code} {answer.text[:80]}")
        self.photos_s.append(time.monotonic() - begun)

    def _probe(self, _number: int) -> None:
        begun = time.monotonic()
        with suppress(httpx.HTTPError):
            httpx.get(f"{self.server.url}/livez", timeout=30)
        self.probes_s.append(time.monotonic() - begun)

    def _weigh(self, _number: int) -> None:
        self.most_bytes = max(self.most_bytes, self.server.rss_bytes())
