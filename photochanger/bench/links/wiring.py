"""Booth, product, reference and provider, with the relay between them; runs and ends them all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType

from photochanger.bench.links.places import PROVIDER_S, Place
from photochanger.bench.load import Target
from photochanger.bench.sides import SLOT, Side, baseline
from photochanger.testing import live, server_process
from photochanger.testing.certificates import own_certificate

PRODUCT = "photochanger.bench.links.product:application"


class Relay:
    """The relay's process, and the orders it obeys."""

    def __enter__(self) -> "Relay":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "photochanger.bench.links.relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def order(self, **what: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError("the relay failed; its words are above")


@dataclass(frozen=True)
class Wiring:
    relay: Relay
    sides: list[Side]  # with their direct addresses, for their logs
    targets: list[Target]  # the same over the booth's link
    is_tls: bool

    def move_to(self, place: Place) -> None:
        booths = {target.name: astuple(place.booth) for target in self.targets}
        self.relay.order(links={**booths, "provider": astuple(place.provider)})

    def forget_connections(self) -> None:
        """The provider has hung up on who did not call for a while."""
        self.relay.order(cut=["provider"])


@contextmanager
def wired(site: live.LiveSite, folder: Path, *, is_tls: bool) -> Iterator[Wiring]:
    """Links without limits at first; ``move_to`` gives them a place's."""
    with ExitStack() as stack:
        provider = stack.enter_context(site.simulator(latency_s=PROVIDER_S))
        relay = stack.enter_context(Relay())
        before = site.env["GEMINI_BASE_URL"]
        site.env["GEMINI_BASE_URL"] = open_provider(site, relay, provider, folder, is_tls=is_tls)
        stack.callback(site.env.update, GEMINI_BASE_URL=before)
        sides = [
            Side("plain", stack.enter_context(baseline(site, preview=False))),
            Side("product", stack.enter_context(serve_product(site))),
        ]
        targets = []
        for side in sides:
            port = server_process.free_port()
            relay.order(open={side.name: [port, side.server.port]})
            targets.append(Target(side.name, f"http://127.0.0.1:{port}/ingest/{SLOT}"))
        yield Wiring(relay, sides, targets, is_tls)


def open_provider(
    site: live.LiveSite,
    relay: Relay,
    provider: server_process.Server,
    folder: Path,
    *,
    is_tls: bool,
) -> str:
    """The provider's address at the near end of its link."""
    target = provider.port
    if is_tls:
        private, public = own_certificate()
        certificate = folder / "provider.pem"
        certificate.write_bytes(private + public)
        (folder / "provider-ca.pem").write_bytes(public)
        site.env["BENCH_PROVIDER_CA"] = str(folder / "provider-ca.pem")
        target = server_process.free_port()
        relay.order(tls={"port": target, "target": provider.port, "certificate": str(certificate)})
    port = server_process.free_port()
    relay.order(open={"provider": [port, target]})
    return f"{'https' if is_tls else 'http'}://127.0.0.1:{port}"


@contextmanager
def serve_product(site: live.LiveSite) -> Iterator[server_process.Server]:
    port = server_process.free_port()
    log = site.logs / f"product-{port}.log"
    command = server_process.uvicorn_command(PRODUCT, port)
    with server_process.serving(
        command, port=port, env=site.env, log=log, ready="/livez"
    ) as server:
        yield server
