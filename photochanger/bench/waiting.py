"""Many large photos wait for a slow provider in one process: memory, connections, threads."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from photochanger.bench.figures import MB, Requirements, mb, ms, percentile
from photochanger.bench.load import Exchange, Plan, run
from photochanger.bench.sides import Side, warm_up
from photochanger.testing import live, server_watch

MAX_CONNECTIONS = 8
MAX_MB_PER_PHOTO = 5.0


@dataclass(frozen=True)
class Crowd:
    """``provider_s`` above ``count / rate`` has all of them waiting at the same moment."""

    count: int = 200
    rate: float = 17.0
    provider_s: float = 15.0


def waiting(
    site: live.LiveSite, photo: Path, crowd: Crowd, requirements: Requirements, console: Console
) -> None:
    with site.simulator(latency_s=crowd.provider_s) as provider, site.server() as server:
        side = Side("product", server)
        warm_up(site, [side], photo, count=1)  # each takes the slow provider's time
        provider.reset()
        with server_watch.Watch(server, site.database_url) as watch:
            exchanges = _send(site, side, photo, crowd, console)
        in_flight = int(provider.state()["max_in_flight"])
    _report(exchanges, watch, in_flight, crowd, requirements, console)


def _send(
    site: live.LiveSite, side: Side, photo: Path, crowd: Crowd, console: Console
) -> list[Exchange]:
    plan = Plan(
        *("arrivals", str(photo), [side.target], site.password),
        count=crowd.count,
        rate=crowd.rate,
    )
    exchanges = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("answered", total=crowd.count)
        for exchange in run(plan):
            exchanges.append(exchange)
            progress.advance(task)
    return exchanges


def _report(
    exchanges: list[Exchange],
    watch: server_watch.Watch,
    in_flight: int,
    crowd: Crowd,
    requirements: Requirements,
    console: Console,
) -> None:
    statuses = Counter(exchange.status for exchange in exchanges)
    over = [
        exchange.latency_s - crowd.provider_s for exchange in exchanges if exchange.status == 200
    ] or [0.0]
    grown = (watch.max_rss_bytes - watch.rss_before_bytes) / max(1, in_flight)
    said = ", ".join(f"{status or 'no answer'} x {n}" for status, n in statuses.items())
    table = Table(
        title=f"{crowd.count} photos, {crowd.rate:g} a second, provider {crowd.provider_s:g} s"
    )
    for column in ("what", "seen", "bar", ""):
        table.add_column(column)
    ok = requirements.require(statuses == {200: crowd.count}, f"waiting: {said}")
    table.add_row("answers", said, f"200 x {crowd.count}", ok)
    held = watch.max_connections
    ok = requirements.require(held <= MAX_CONNECTIONS, f"waiting: {held} database connections")
    table.add_row("database connections, most", str(held), f"<= {MAX_CONNECTIONS}", ok)
    ok = requirements.require(grown <= MAX_MB_PER_PHOTO * MB, f"waiting: {mb(grown)} MB per photo")
    table.add_row("memory per waiting photo, MB", f"{grown / MB:.2f}", "<= 5", ok)
    table.add_row(
        "memory before / most, MB", f"{mb(watch.rss_before_bytes)} / {mb(watch.max_rss_bytes)}"
    )
    table.add_row("waiting at the provider, most", str(in_flight))
    table.add_row("threads, most", str(watch.max_threads))
    table.add_row(
        "overhead p50 / p95, ms", f"{ms(percentile(over, 0.5))} / {ms(percentile(over, 0.95))}"
    )
    console.print(table)
