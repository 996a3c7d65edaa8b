"""Overhead of one photo at a time, and the ceiling with a provider that answers immediately."""

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from photochanger.bench.figures import RATIO_BAR, mb, ms, percentile
from photochanger.bench.load import Plan, run
from photochanger.bench.pictures import MAX_MEGAPIXELS, SENT_SIDE_PX, measure
from photochanger.bench.sides import Side, all_sides, check, warm_up
from photochanger.pictures import Photo, prepare_photo
from photochanger.testing import live

PROVIDER_S = 0.5
CROWD = 8
PING_EVERY_S = 0.02


@dataclass
class Turns:
    """What one server took for photos that came one at a time."""

    overheads_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0  # of all of them, with what it does after its answers


def overhead(
    site: live.LiveSite, photos: dict[str, Path], repeats: dict[str, int], console: Console
) -> None:
    table = Table(title=f"Overhead, one photo at a time, provider {PROVIDER_S} s (ms)")
    for column in ("photo", "server", "n", "p50", "min", "p95", "x floor", "x bare"):
        table.add_column(column, justify="left" if column in ("photo", "server") else "right")
    for column in ("CPU", "shrinking", "rest x floor"):
        table.add_column(column, justify="right")
    with (
        site.simulator(latency_s=PROVIDER_S),
        all_sides(site) as sides,
        Progress(console=console, transient=True) as progress,
    ):
        for name, photo in photos.items():
            warm_up(site, sides, photo)
            taken = _take_turns(site, sides, photo, repeats[name], progress)
            _add_rows(table, name, taken, shrinking_s=measure_shrinking(photo))
            table.add_section()
    console.print(table)
    console.print(
        f"floor = thin baseline with the same preview; bar: product at most {RATIO_BAR}x of it.\n"
        "CPU is of one photo with all that is done for it after the answer. Shrinking, which the\n"
        "floor does not do, is counted apart: the last column is what is left, over the floor's.\n"
    )


def measure_shrinking(photo: Path) -> float:
    """Seconds of CPU to make a photo as small as the product sends it; 0 where it stays."""
    with photo.open("rb") as file:
        opened = Photo.open(file, max_megapixels=MAX_MEGAPIXELS)
        cost_ms, sent = measure(partial(prepare_photo, opened, max_side_px=SENT_SIDE_PX))
        return 0.0 if sent is opened else cost_ms / 1000


def _take_turns(
    site: live.LiveSite, sides: list[Side], photo: Path, repeats: int, progress: Progress
) -> dict[str, Turns]:
    targets = [side.target for side in sides]
    plan = Plan("turns", str(photo), targets, site.password, count=repeats)
    task = progress.add_task(photo.stem, total=repeats * len(sides))
    taken = {side.name: Turns(cpu_s=-side.server.cpu_seconds()) for side in sides}
    for exchange in run(plan):
        check(exchange, sides)
        taken[exchange.target].overheads_s.append(exchange.latency_s - PROVIDER_S)
        progress.advance(task)
    for side in sides:
        taken[side.name].cpu_s += side.server.cpu_seconds()
    return taken


def _add_rows(table: Table, photo: str, taken: dict[str, Turns], *, shrinking_s: float) -> None:
    middle = {name: percentile(turns.overheads_s, 0.5) for name, turns in taken.items()}
    floor_cpu_s = taken["floor"].cpu_s
    for name, turns in taken.items():
        values, count = turns.overheads_s, len(turns.overheads_s)
        ratio = middle[name] / middle["floor"]
        colour = "red" if name == "product" and ratio > RATIO_BAR else "default"
        apart_s = shrinking_s if name == "product" else 0.0
        table.add_row(
            *(photo, name, str(count), ms(middle[name])),
            *(ms(min(values)), ms(percentile(values, 0.95))),
            *(f"[{colour}]{ratio:.2f}[/]", f"{middle[name] / middle['bare']:.2f}"),
            *(ms(turns.cpu_s / count), ms(apart_s) if apart_s else ""),
            f"{(turns.cpu_s - apart_s * count) / floor_cpu_s:.2f}",
        )


def ceiling(
    site: live.LiveSite, photos: dict[str, Path], counts: dict[str, int], console: Console
) -> None:
    """Two rounds per server, alternating; the figures of both are combined."""
    table = Table(title=f"Ceiling, {CROWD} at once, provider 0 s")
    for column in ("photo", "server", "n", "rps", "x floor", "CPU ms/photo", "RSS MB", "ping p99"):
        table.add_column(column, justify="left" if column in ("photo", "server") else "right")
    with (
        site.simulator(latency_s=0),
        all_sides(site) as sides,
        Progress(console=console, transient=True) as progress,
    ):
        for name, photo in photos.items():
            warm_up(site, sides, photo)
            task = progress.add_task(name, total=2 * len(sides))
            rounds = {side.name: CrowdResult() for side in sides}
            for side in (*sides, *sides):
                rounds[side.name].add(site, side, photo, counts[name])
                progress.advance(task)
            for side in sides:
                table.add_row(name, side.name, *rounds[side.name].format_cells(rounds["floor"].rps))
            table.add_section()
    console.print(table)


class CrowdResult:
    """What one server delivered to the booths, over all its rounds."""

    def __init__(self) -> None:
        self.count, self.busy_s, self.cpu_s, self.rss_bytes = 0, 0.0, 0.0, 0
        self.pings: list[float] = []

    @property
    def rps(self) -> float:
        return self.count / self.busy_s

    def add(self, site: live.LiveSite, side: Side, photo: Path, count: int) -> None:
        plan = Plan(
            "crowd", str(photo), [side.target], site.password, count=count, concurrency=CROWD
        )
        cpu_before = side.server.cpu_seconds()
        with Pinger(side.server.url) as pinger:
            exchanges = list(run(plan))
        for exchange in exchanges:
            check(exchange, [side])
        self.cpu_s += side.server.cpu_seconds() - cpu_before
        started = min(exchange.started_s for exchange in exchanges)
        self.busy_s += (
            max(exchange.started_s + exchange.latency_s for exchange in exchanges) - started
        )
        self.count += count
        self.rss_bytes = max(self.rss_bytes, side.server.rss_bytes())
        self.pings += pinger.taken_s

    def format_cells(self, floor_rps: float) -> list[str]:
        return [
            *(str(self.count), f"{self.rps:.1f}", f"{self.rps / floor_rps:.2f}"),
            *(ms(self.cpu_s / self.count), mb(self.rss_bytes)),
            f"{ms(percentile(self.pings, 0.99))} ms",
        ]


class Pinger:
    """A light GET every 20 ms from outside: does the server block other requests?"""

    def __init__(self, url: str) -> None:
        self.where = urlsplit(url).netloc
        self.taken_s: list[float] = []
        self._done = threading.Event()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> "Pinger":
        self._pinging = self._thread.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.shutdown()
        self._pinging.result()

    def _run(self) -> None:
        with closing(http.client.HTTPConnection(self.where, timeout=30)) as connection:
            while not self._done.wait(PING_EVERY_S):
                started = time.monotonic()
                connection.request("GET", "/livez")
                connection.getresponse().read()
                self.taken_s.append(time.monotonic() - started)
