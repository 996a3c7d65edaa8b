"""The site of a soak: its own database, servers and a service that can be killed and come back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import psutil

from photochanger.testing import live
from photochanger.testing.clocks import make_moved_clock
from photochanger.testing.databases import OwnPostgres, own_postgres
from photochanger.testing.server_process import Server, free_port

T_SYNC_S = 20
SLOT_LIMIT, PROVIDER_LIMIT = 2, 7
LATENCY_S = 1.5
# What each slot's service does; the booths of some slots meet trouble each time, or now and then.
SCENARIOS = {
    "slot-001": "ok",
    "slot-002": "ok",
    "slot-003": "ok-png",
    "slot-004": "slow=6",
    "slot-005": "slow=60",
    "slot-006": "503-then-ok",
    "slot-007": "img-safety",
    "slot-008": "truncated-image",
    "slot-009": "drop-connection",
}
STOOD_IN = "slot-008"  # its guests get their own photo where the service has failed


class Machine:
    """A process at its place: whatever becomes of it, the next one is asked at the same port."""

    def __init__(self, start: Callable[[int], AbstractContextManager[Server]]) -> None:
        self._start, self.port = start, free_port()
        self._running = ExitStack()
        self.server = self._running.enter_context(start(self.port))

    def stop(self) -> None:
        """As a restart does: by SIGTERM, and until it has ended."""
        self._running.close()

    def kill(self) -> None:
        """With all of its workers, before any of them can say a word."""
        family = self.server.tree()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)

    def start(self) -> None:
        self.server = self._running.enter_context(self._start(self.port))


@dataclass
class Stage:
    site: live.LiveSite
    provider: Machine
    machines: list[Machine]
    postgres: OwnPostgres | None  # None: SQLite
    admin_password: str
    secrets: dict[str, str] = field(default_factory=dict)

    def read_statistics(self) -> dict[str, int]:
        url = self.machines[0].server.url
        who = {"username": "serg", "password": self.admin_password}
        token = httpx.post(f"{url}/api/login", json=who, timeout=60).json()["access_token"]
        answer = httpx.get(
            f"{url}/api/stats/overview",
            headers={"Authorization": f"Bearer {token}"},
            params={"window_minutes": 1440},
            timeout=60,
        )
        system: dict[str, Any] = answer.raise_for_status().json()["system"]
        return {name: value for name, value in system.items() if isinstance(value, int)}

    def read_logs(self) -> str:
        logs = self.site.logs.rglob("*")
        return "".join(log.read_text(errors="replace") for log in logs if log.is_file())


@contextmanager
def open_stage(*, servers: int, is_postgres: bool, skew_s: int) -> Iterator[Stage]:
    """``skew_s``: how far the last server's clock is ahead, where there are several."""
    with ExitStack() as running:
        postgres = running.enter_context(own_postgres()) if is_postgres else None
        site = running.enter_context(live.site_on(postgres.url) if postgres else live.site())
        said = site.manage("sync_admins", "--generate", "--usernames", "serg")
        provider = _run(running, partial(_simulate, site))
        # A service that comes back answers at the same place: servers need not be told.
        site.env["GEMINI_BASE_URL"] = provider.server.url
        _configure(site)
        clocks: list[dict[str, str]] = [{} for _ in range(servers)]
        if skew_s:
            clocks[-1] = make_moved_clock(skew_s)
        machines = [_run(running, partial(_serve, site, clock)) for clock in clocks]
        kept = ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEY", "GEMINI_API_KEY")
        secrets = {name: site.env[name] for name in kept} | {"INGEST_PASSWORD": site.password}
        yield Stage(site, provider, machines, postgres, said.split("serg")[1].split()[0], secrets)


def _serve(site: live.LiveSite, clock: dict[str, str], port: int) -> AbstractContextManager[Server]:
    # gunicorn's own process cannot sleep by a moved clock; it would end at once.
    return site.server(port=port, gunicorn=0 if clock else 1, env=clock)


def _simulate(site: live.LiveSite, port: int) -> AbstractContextManager[Server]:
    return site.simulator("--jitter", "1", latency_s=LATENCY_S, plain=False, port=port)


def _run(running: ExitStack, start: Callable[[int], AbstractContextManager[Server]]) -> Machine:
    machine = Machine(start)
    running.callback(machine.stop)
    return machine


def _configure(site: live.LiveSite) -> None:
    slots = {
        slot_id: {
            "settings": {"prompt": f"As an oil painting [sim:{scenario}]"},
            "sync_response_seconds": T_SYNC_S,
            "on_failure": "original" if slot_id == STOOD_IN else "error",
        }
        for slot_id, scenario in SCENARIOS.items()
    }
    limits = {"max_jobs_per_slot": SLOT_LIMIT, "max_jobs_per_provider": PROVIDER_LIMIT}
    site.configure_all(slots, limits=limits)
