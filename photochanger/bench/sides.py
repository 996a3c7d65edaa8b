"""The servers of a comparison, side by side on one site and one provider."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from photochanger.bench.load import Exchange, Plan, Target, run
from photochanger.testing import live, server_process

WARM_UP = 3  # imports, the first bcrypt, the first connections
SLOT = "slot-001"


@dataclass(frozen=True)
class Side:
    name: str
    server: server_process.Server

    @property
    def target(self) -> Target:
        return Target(self.name, f"{self.server.url}/ingest/{SLOT}")


@contextmanager
def baseline(site: live.LiveSite, *, preview: bool) -> Iterator[server_process.Server]:
    port = server_process.free_port()
    command = server_process.uvicorn_command("photochanger.bench.baseline:application", port)
    env = site.env | {"BASELINE_PREVIEW": str(int(preview))}
    log = site.logs / f"baseline-{port}.log"
    with server_process.serving(command, port=port, env=env, log=log) as server:
        yield server


@contextmanager
def all_sides(site: live.LiveSite) -> Iterator[list[Side]]:
    """Bare baseline, baseline with the preview (the floor), product."""
    with ExitStack() as stack:
        yield [
            Side("bare", stack.enter_context(baseline(site, preview=False))),
            Side("floor", stack.enter_context(baseline(site, preview=True))),
            Side("product", stack.enter_context(site.server())),
        ]


def warm_up(site: live.LiveSite, sides: list[Side], photo: Path, count: int = WARM_UP) -> None:
    plan = Plan("turns", str(photo), [s.target for s in sides], site.password, count=count)
    for exchange in run(plan):
        check(exchange, sides)


def check(exchange: Exchange, sides: list[Side]) -> None:
    """Failures cannot be compared. Raises RuntimeError with the server's log."""
    if exchange.status != 200:
        log = next(side.server.log_text() for side in sides if side.name == exchange.target)
        raise RuntimeError(
            f"{exchange.target} answered {exchange.status} {exchange.error}\n{log[-3000:]}"
        )
