"""Many large photos wait for a slow provider in one process: memory, connections, threads.

How fast a machine takes such photos is found first. The crowd then comes as fast as that, so that
all of it waits for the provider and not for the machine; a second one comes faster, and must be
answered all the same, in its order.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from photochanger.bench.figures import MB, Requirements, mb, ms, percentile
from photochanger.bench.load import Exchange, Plan, run
from photochanger.bench.sides import Side, warm_up
from photochanger.testing import live, server_watch

MAX_CONNECTIONS = 4  # the lanes of photos, and now and then the notes on booths
MAX_MB_PER_PHOTO = 0.3
PROBES, PROBES_AT_ONCE = 16, 4  # photos by which the machine's ceiling is found
SHARE_OF_CEILING = 0.8
LONGEST_ARRIVAL_S = 30.0  # so that the first one still waits when the last one has come
RUSH, RUSH_S = 2.0, 8.0  # times the ceiling, for so long
SETTLED_S = 1.0


@dataclass(frozen=True)
class Crowd:
    """``provider_s`` above ``count / rate`` has all of them waiting at the same moment."""

    count: int = 200
    rate: float = 17.0
    provider_s: float = 15.0

    def fit(self, ceiling: float) -> "Crowd":
        """As many, and as fast, as a machine with this ceiling can take."""
        rate = min(self.rate, ceiling * SHARE_OF_CEILING)
        count = min(self.count, int(rate * LONGEST_ARRIVAL_S))
        return Crowd(count, rate, max(self.provider_s, count / rate + 5.0))


def waiting(
    site: live.LiveSite, photo: Path, wanted: Crowd, requirements: Requirements, console: Console
) -> None:
    ceiling = _find_ceiling(site, photo)
    crowd = wanted.fit(ceiling)
    console.print(
        f"This machine takes {ceiling:.1f} photos of 15 MB a second; so {crowd.count} come at "
        f"{crowd.rate:.1f} a second."
    )
    with _serve(site, crowd.provider_s, photo) as (side, provider):
        with server_watch.Watch(side.server, site.database_url) as watch:
            exchanges = _send(side, site.password, photo, crowd, console)
        in_flight = int(provider.state()["max_in_flight"])
    _report(exchanges, watch, in_flight, crowd, requirements, console)
    _rush(site, photo, ceiling, requirements, console)


@contextmanager
def _serve(
    site: live.LiveSite, provider_s: float, photo: Path
) -> Iterator[tuple[Side, live.Simulator]]:
    with site.simulator(latency_s=provider_s) as provider, site.server() as server:
        side = Side("product", server)
        warm_up(site, [side], photo, count=1)  # each takes the slow provider's time
        provider.reset()
        yield side, provider


def _find_ceiling(site: live.LiveSite, photo: Path) -> float:
    """Photos a second, with a provider that answers immediately."""
    with _serve(site, 0.0, photo) as (side, _provider):
        plan = Plan(
            *("crowd", str(photo), [side.target], site.password),
            count=PROBES,
            concurrency=PROBES_AT_ONCE,
        )
        taken = list(run(plan))
    began = min(exchange.started_s for exchange in taken)
    return PROBES / (max(exchange.started_s + exchange.latency_s for exchange in taken) - began)


def _send(side: Side, password: str, photo: Path, crowd: Crowd, console: Console) -> list[Exchange]:
    plan = Plan(
        *("arrivals", str(photo), [side.target], password), count=crowd.count, rate=crowd.rate
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
    said = _count_statuses(exchanges)
    over = [one.latency_s - crowd.provider_s for one in exchanges if one.status == 200] or [0.0]
    first = min(one.started_s + one.latency_s for one in exchanges)
    # When the first answer is due all of them wait, and none is decoded any more.
    held_bytes = watch.find_rss_bytes(start=first - SETTLED_S, end=first)
    grown = (held_bytes - watch.rss_before_bytes) / max(1, in_flight)
    table = Table(
        title=f"{crowd.count} photos, {crowd.rate:.1f} a second, provider {crowd.provider_s:.0f} s"
    )
    for column in ("what", "seen", "bar", ""):
        table.add_column(column)
    ok = requirements.require(said == f"200 x {crowd.count}", f"waiting: {said}")
    table.add_row("answers", said, f"200 x {crowd.count}", ok)
    held = watch.max_connections
    ok = requirements.require(held <= MAX_CONNECTIONS, f"waiting: {held} database connections")
    table.add_row("database connections, most", str(held), f"<= {MAX_CONNECTIONS}", ok)
    ok = requirements.require(grown <= MAX_MB_PER_PHOTO * MB, f"waiting: {mb(grown)} MB per photo")
    table.add_row(
        "memory per waiting photo, MB", f"{grown / MB:.2f}", f"<= {MAX_MB_PER_PHOTO:g}", ok
    )
    table.add_row(
        "memory before / while all wait / most, MB",
        f"{mb(watch.rss_before_bytes)} / {mb(held_bytes)} / {mb(watch.max_rss_bytes)}",
    )
    table.add_row("waiting at the provider, most", str(in_flight))
    table.add_row("threads, most", str(watch.max_threads))
    table.add_row(
        "overhead p50 / p95, ms", f"{ms(percentile(over, 0.5))} / {ms(percentile(over, 0.95))}"
    )
    console.print(table)


def _count_statuses(exchanges: list[Exchange]) -> str:
    statuses = Counter(exchange.status for exchange in exchanges)
    return ", ".join(f"{status or 'no answer'} x {n}" for status, n in statuses.items())


def _rush(
    site: live.LiveSite,
    photo: Path,
    ceiling: float,
    requirements: Requirements,
    console: Console,
) -> None:
    """More than the machine can take: all are answered, and who came earlier is not passed by far.

    Two are decoded at a time, and sending differs a little: a few places are no passing.
    """
    crowd = Crowd(max(PROBES, int(ceiling * RUSH * RUSH_S)), ceiling * RUSH, 0.5)
    with _serve(site, crowd.provider_s, photo) as (side, _provider):
        exchanges = _send(side, site.password, photo, crowd, console)
    said = _count_statuses(exchanges)
    ok = requirements.require(said == f"200 x {crowd.count}", f"rush: {said}")
    arrived = sorted(exchanges, key=lambda one: one.started_s)
    answered = sorted(exchanges, key=lambda one: one.started_s + one.latency_s)
    passed = max(abs(arrived.index(one) - place) for place, one in enumerate(answered))
    longest = max(one.latency_s for one in exchanges)
    console.print(
        f"{crowd.count} more at {crowd.rate:.1f} a second, {RUSH:g} times what it takes: {said} "
        f"{ok}; the longest wait {longest:.1f} s; nobody moved by more than {passed} places.\n"
    )
