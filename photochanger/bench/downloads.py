"""Hundreds of phones download pictures at once from one process."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import MB, Requirements, mb, ms, percentile
from photochanger.bench.overhead import Pinger
from photochanger.bench.phones import Fetch, fetch_at_once
from photochanger.testing import live, server_process

PICTURES, PICTURE_BYTES = 20, 2 * MB
ROUNDS = 2
MAX_PING_P99_S = 0.05
MIN_RATE_OF_RAW = 0.6

STORE = """
import uuid
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from media import storage
from media.models import MediaObject
body = Path({file!r}).read_bytes()
for _ in range({count}):
    job_id = uuid.uuid4()
    path = f"results/slot-001/{{job_id}}/payload.jpg"
    storage.write(path, body)
    MediaObject.objects.create(
        job_id=job_id, slot_id="slot-001", kind="result", path=path, mime="image/jpeg",
        size_bytes=len(body), sha256=job_id.hex * 2, expires_at=timezone.now() + timedelta(hours=1),
    )
    print("job", job_id)
"""


@dataclass
class DownloadResult:
    """What one server delivered to the phones, over all its rounds."""

    fetched: list[Fetch] = field(default_factory=list)
    pings_s: list[float] = field(default_factory=list)
    busy_s: float = 0.0
    cpu_s: float = 0.0
    rss_bytes: int = 0

    def take(self, server: server_process.Server, links: list[str]) -> None:
        cpu_before = server.cpu_seconds()
        with Pinger(server.url) as pinger:
            fetched = fetch_at_once(links)
        self.cpu_s += server.cpu_seconds() - cpu_before
        self.busy_s += max(f.ended_s for f in fetched) - min(f.started_s for f in fetched)
        self.rss_bytes = max(self.rss_bytes, server.rss_bytes())
        self.fetched += fetched
        self.pings_s += pinger.taken_s

    @property
    def rps(self) -> float:
        return len(self.fetched) / self.busy_s

    @property
    def failures(self) -> list[Fetch]:
        return [f for f in self.fetched if (f.status, f.size_bytes) != (200, PICTURE_BYTES)]


def downloads(
    site: live.LiveSite, phones: int, requirements: Requirements, console: Console
) -> None:
    file = site.root / "picture.jpg"
    file.write_bytes(secrets.token_bytes(PICTURE_BYTES))
    said = site.manage(
        "shell", "--verbosity", "0", "-c", STORE.format(file=str(file), count=PICTURES)
    )
    jobs = [line.split()[1] for line in said.splitlines() if line.startswith("job ")]
    with raw_sender(site) as raw, site.server() as product:
        links = {
            "raw": (raw, [f"{raw.url}/file"]),
            "product": (product, [f"{product.url}/public/results/{job}" for job in jobs]),
        }
        served = {name: DownloadResult() for name in links}
        for _, addresses in links.values():
            fetch_at_once(addresses)  # imports, connections, the page cache
        for name, (server, addresses) in list(links.items()) * ROUNDS:
            served[name].take(server, list(islice(cycle(addresses), phones)))
    _report(served, phones, requirements, console)


@contextmanager
def raw_sender(site: live.LiveSite) -> Iterator[server_process.Server]:
    port = server_process.free_port()
    command = server_process.uvicorn_command("photochanger.bench.sender:application", port)
    env = site.env | {"SENDER_FILE": str(site.root / "picture.jpg")}
    with server_process.serving(
        command, port=port, env=env, log=site.logs / "sender.log"
    ) as server:
        yield server


def _report(
    served: dict[str, DownloadResult], phones: int, requirements: Requirements, console: Console
) -> None:
    table = Table(title=f"{phones} phones at once, {mb(PICTURE_BYTES)} MB each, one process")
    columns = ("server", "n", "failed", "per s", "x raw", "CPU ms each", "RSS MB")
    for column in (*columns, "slowest s", "ping p50", "ping p99", "ping max"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for name, side in served.items():
        pings = [ms(percentile(side.pings_s, share)) for share in (0.5, 0.99, 1.0)]
        table.add_row(
            *(name, str(len(side.fetched)), str(len(side.failures)), f"{side.rps:.0f}"),
            *(f"{side.rps / served['raw'].rps:.2f}", ms(side.cpu_s / len(side.fetched))),
            *(mb(side.rss_bytes), f"{max(f.ended_s - f.started_s for f in side.fetched):.2f}"),
            *pings,
        )
    console.print(table)
    product = served["product"]
    first = product.failures[0].error if product.failures else ""
    requirements.require(not product.failures, f"downloads: {len(product.failures)} failed {first}")
    ratio = product.rps / served["raw"].rps
    requirements.require(
        ratio >= MIN_RATE_OF_RAW, f"downloads: {ratio:.2f} of the raw rate, bar {MIN_RATE_OF_RAW}"
    )
    p99 = percentile(product.pings_s, 0.99)
    requirements.require(
        p99 < MAX_PING_P99_S, f"downloads: ping p99 {ms(p99)} ms, bar {ms(MAX_PING_P99_S)}"
    )
