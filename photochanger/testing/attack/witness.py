"""Booths and a monitor that are in the right, and what the server weighs and works meanwhile."""

import http.client
import io
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

from PIL import Image

PAUSE_S = 0.2
GIVE_UP_S = 60.0
BOOTHS = 2
BOUNDARY = "----booth"


@dataclass
class Seen:
    """Seconds of each answer; ``lost`` are good photos that did not come back as pictures."""

    photos_s: list[float] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    grown_mb: float = 0.0
    server_cpu_s: float = 0.0
    attacker_cpu_s: float = 0.0

    def add(self, other: "Seen") -> None:
        self.photos_s += other.photos_s
        self.probes_s += other.probes_s
        self.lost += other.lost
        self.grown_mb = max(self.grown_mb, other.grown_mb)
        self.server_cpu_s += other.server_cpu_s


def watch(port: int, password: str, seconds: float) -> Seen:
    """What good booths and a monitor see for so long. For a process of its own: whoever attacks
    from the same one would keep them waiting, too."""
    witness = Witness(port, password, until=time.monotonic() + seconds)
    works: list[Callable[[int], None]] = [witness.probe, *[witness.post] * BOOTHS]
    threads = [
        threading.Thread(target=witness.repeat, args=[work, number * 1_000_000])
        for number, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return witness.seen


@dataclass
class Witness:
    port: int
    password: str
    until: float
    seen: Seen = field(default_factory=Seen)

    def repeat(self, work: Callable[[int], None], number: int) -> None:
        while time.monotonic() < self.until:
            work(number)
            number += 1
            time.sleep(PAUSE_S)

    def post(self, number: int) -> None:
        body = self._make_form(number)
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        begun = time.monotonic()
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, GIVE_UP_S)) as booth:
                booth.request("POST", "/ingest/slot-001", body, headers)
                answer = booth.getresponse()
                content = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            self.seen.lost.append(type(exc).__name__)
            return
        if answer.status != 200:
            self.seen.lost.append(f"{answer.status} {content[:80]!r}")
        self.seen.photos_s.append(time.monotonic() - begun)

    def probe(self, _number: int) -> None:
        begun = time.monotonic()
        with (
            suppress(OSError, http.client.HTTPException),
            closing(http.client.HTTPConnection("127.0.0.1", self.port, 30)) as monitor,
        ):
            monitor.request("GET", "/livez")
            monitor.getresponse().read()
        self.seen.probes_s.append(time.monotonic() - begun)

    def _make_form(self, number: int) -> bytes:
        out = io.BytesIO()
        colour = (number % 256, number // 256 % 256, time.time_ns() // 1_000_000 % 256)
        image = Image.new("RGB", (900, 600), colour)
        image.putpixel((0, 0), (number // 65536 % 256, 0, 0))
        image.save(out, "JPEG", comment=f"{number} {time.time_ns()}")
        part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        head = (
            f'{part}"password"\r\n\r\n{self.password}\r\n'
            f'{part}"fileToUpload"; filename="IMG_0001.JPG"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        return head.encode() + out.getvalue() + f"\r\n--{BOUNDARY}--\r\n".encode()
