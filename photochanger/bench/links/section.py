"""The table of places and photos: what is waited beyond the provider's time, and beyond the limit.

`plain` is the server that anybody would write: it stores the photo, sends it on as it came over a
connection that it keeps, and answers with what it got. `limit` is what the links take by themselves
when the booth sends its photo as it is; a server that sends less may stay below it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from photochanger.bench.links.history import find_earlier, save
from photochanger.bench.links.photos import make
from photochanger.bench.links.places import PLACES, PROVIDER_S, Place
from photochanger.bench.links.steps import draw_steps, read_steps
from photochanger.bench.links.wiring import Wiring, wired
from photochanger.bench.load import Plan, run
from photochanger.bench.sides import check, warm_up
from photochanger.testing import live

PAUSED_PHOTO = "1mb"  # where connections weigh most


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Seconds waited beyond the provider's time: the best of the runs.

    ``is_paused``: the provider had closed its connections, as after some minutes without photos.
    """

    place: str
    photo: str
    limit_s: float
    plain_s: float
    product_s: float
    plain_bytes: int
    product_bytes: int
    is_paused: bool = False
    steps_ms: dict[str, int] = field(default_factory=dict)  # of the product's best run

    @property
    def name(self) -> str:
        return f"{self.photo}{' after a pause' * self.is_paused}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPlan:
    places: tuple[Place, ...]
    cameras: tuple[str, ...]
    repeats: int
    is_tls: bool
    release: str  # under which the figures are kept for good; empty: until the next run


def links(site: live.LiveSite, folder: Path, plan: LinksPlan, console: Console) -> None:
    with console.status("Making photos"):
        photos = {name: make(name, folder) for name in {*plan.cameras, PAUSED_PHOTO}}
    with (
        wired(site, folder, is_tls=plan.is_tls) as wiring,
        Progress(console=console, transient=True) as progress,
    ):
        warm_up(site, wiring.sides, photos[PAUSED_PHOTO])
        task = progress.add_task("links", total=len(plan.places) * (len(plan.cameras) + 1))
        cells = []
        for cell in measure(site, wiring, photos, plan):
            cells.append(cell)
            progress.advance(task)
    earlier = find_earlier(plan.release)
    console.print(draw_table(cells, earlier, is_tls=plan.is_tls))
    console.print(draw_steps(cells))
    kept = save(cells, is_tls=plan.is_tls, release=plan.release)
    console.print(f"kept in {kept}, as a plot beside it\n")


def measure(
    site: live.LiveSite, wiring: Wiring, photos: dict[str, Path], plan: LinksPlan
) -> Iterator[Cell]:
    for place in plan.places:
        wiring.move_to(place)
        for name in plan.cameras:
            yield measure_cell(site, wiring, place, name, photos[name], plan.repeats)
        name = PAUSED_PHOTO
        yield measure_cell(site, wiring, place, name, photos[name], plan.repeats, is_paused=True)


def measure_cell(
    site: live.LiveSite,
    wiring: Wiring,
    place: Place,
    name: str,
    photo: Path,
    repeats: int,
    *,
    is_paused: bool = False,
) -> Cell:
    best, sizes = {"plain": float("inf"), "product": float("inf")}, {"plain": 0, "product": 0}
    steps_ms: dict[str, int] = {}
    for _ in range(repeats):
        for target in wiring.targets:
            if is_paused:
                wiring.forget_connections()
            [exchange] = run(Plan("turns", str(photo), [target], site.password, count=1))
            check(exchange, wiring.sides)
            waited_s = exchange.latency_s - PROVIDER_S
            if target.name == "product" and waited_s < best["product"]:
                steps_ms = read_steps(site)
            best[target.name] = min(best[target.name], waited_s)
            sizes[target.name] = exchange.answer_bytes
    return Cell(
        place=place.name,
        photo=name,
        limit_s=place.limit_s(photo.stat().st_size),
        plain_s=best["plain"],
        product_s=best["product"],
        plain_bytes=sizes["plain"],
        product_bytes=sizes["product"],
        is_paused=is_paused,
        steps_ms=steps_ms,
    )


def draw_table(cells: list[Cell], earlier: dict[str, float], *, is_tls: bool) -> Table:
    title = f"Waited beyond the provider's {PROVIDER_S:g} s (s){', TLS to it' * is_tls}"
    table = Table(title=title)
    for column in ("where the server stands", "link to the booth", "to the provider", "photo"):
        table.add_column(column)
    for column in ("limit", "plain", "product", "x limit", "x plain", "answer kB", "was"):
        table.add_column(column, justify="right")
    for place in PLACES:
        for cell in (cell for cell in cells if cell.place == place.name):
            before = earlier.get(f"{cell.place} {cell.name}")
            table.add_row(
                *(place.name, str(place.booth), str(place.provider), cell.name),
                *(f"{seconds:.2f}" for seconds in (cell.limit_s, cell.plain_s, cell.product_s)),
                f"{cell.product_s / cell.limit_s:.2f}",
                f"{cell.product_s / cell.plain_s:.2f}",
                f"{cell.product_bytes / 1000:.0f}",
                "" if before is None else f"{before:.2f}",
            )
        table.add_section()
    return table
