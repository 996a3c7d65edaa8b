"""A server, those who attack it and those who are in the right; what came of it, in a table."""

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import chain
from typing import Any

from rich.console import Console
from rich.table import Table

from photochanger.testing.attack.crowds import CROWDS
from photochanger.testing.attack.insiders import INSIDERS
from photochanger.testing.attack.strangers import STRANGERS
from photochanger.testing.attack.target import Target
from photochanger.testing.attack.witness import Seen, watch
from photochanger.testing.server_process import Server

# A crowd takes all connections, of 16 KB with a request that waits.
MOST_MB = {"strangers": 30, "crowds": 120, "insiders": 350}
KINDS = {"strangers": STRANGERS, "crowds": CROWDS, "insiders": INSIDERS}
CALM_S = 2.0  # after each one, so that what it left is not counted with the next
QUIET_S = 4.0  # watched before each one: the machine is not as fast at any time
BESIDE = f"good booths beside it, and {QUIET_S:g} s of them alone before it"
NICENESS = 5  # of the attackers, who have machines of their own
ATTACKS = {attack.__name__: attack for attack in chain.from_iterable(KINDS.values())}
COLUMNS = (
    *("attack", "answers", "answers/s", "server ms each", "attacker CPU %"),
    *("photos p95 (ms)", "times quiet", "/livez worst (ms)", "RSS (MB)"),
)


def run_attack(name: str, port: int, password: str, seconds: float) -> tuple[Counter[str], float]:
    """What the server answered, and the CPU seconds of the attack itself."""
    begun_s = time.process_time()
    target = Target(port, password, time.monotonic() + seconds)
    ATTACKS[name](target)
    return target.answers, time.process_time() - begun_s


class Scene(ExitStack):
    """A server, those who attack it and those who are in the right, each a process of its own."""

    def __init__(self, server: Server, password: str, seconds: float) -> None:
        super().__init__()
        self._server, self._password, self._seconds = server, password, seconds
        spawn = multiprocessing.get_context("spawn")
        pools = [
            ProcessPoolExecutor(1, spawn, initializer=os.nice, initargs=(niceness,))
            for niceness in (0, NICENESS)
        ]
        self._good, self._bad = [self.enter_context(pool) for pool in pools]
        self._quiet = Seen()

    def attack_all(self, only: str | None, console: Console) -> list[str]:
        """What succeeded, in words."""
        self._watch(QUIET_S)  # the first photos pay for what is new to the server
        table = Table(title=f"{self._seconds:g} s of each; {BESIDE}")
        for column in COLUMNS:
            table.add_column(column, justify="left" if column in COLUMNS[:2] else "right")
        rows, succeeded = [], list[str]()
        for kind, attacks in KINDS.items():
            for attack in attacks:
                name = attack.__name__.replace("_", " ")
                if not any(part in name for part in (only or "").split(",")):
                    continue
                console.print(f"{name} ...", style="dim")
                self._quiet.add(self._watch(QUIET_S))
                answers, seen = self._attack(attack.__name__)
                rows.append((name, answers, seen))
                succeeded += [f"{name}: {words}" for words in judge(kind, answers, seen)]
                time.sleep(CALM_S)
        for row in [("nothing", Counter[str](), self._quiet), *rows]:
            table.add_row(*self._describe(*row))
        console.print(table)
        return succeeded

    def _attack(self, name: str) -> tuple[Counter[str], Seen]:
        orders = (name, self._server.port, self._password, self._seconds)
        attack = self._bad.submit(run_attack, *orders)
        seen = self._watch(self._seconds, attack)
        answers, seen.attacker_cpu_s = attack.result()
        return answers, seen

    def _watch(self, seconds: float, *others: "Future[Any]") -> Seen:
        before_bytes, before_s = self._server.rss_bytes(), self._server.cpu_seconds()
        watching = self._good.submit(watch, self._server.port, self._password, seconds)
        most_bytes = before_bytes
        while not all(work.done() for work in (watching, *others)):
            most_bytes = max(most_bytes, self._server.rss_bytes())
            time.sleep(0.1)
        seen = watching.result()
        seen.grown_mb = (most_bytes - before_bytes) / 1e6
        seen.server_cpu_s = self._server.cpu_seconds() - before_s
        return seen

    def _describe(self, name: str, answers: Counter[str], seen: Seen) -> list[str]:
        told = ", ".join(f"{status}: {n}" for status, n in answers.most_common(3))
        photo_s = self._quiet.server_cpu_s / max(len(self._quiet.photos_s), 1)
        attack_s = seen.server_cpu_s - photo_s * len(seen.photos_s)
        count = answers.total()
        p95_ms, quiet_ms = (1000 * _find_p95(each.photos_s) for each in (seen, self._quiet))
        return [
            *(name, told, f"{count / self._seconds:.0f}" if count else "-"),
            f"{1000 * attack_s / count:.1f}"
            if count
            else f"({100 * attack_s / self._seconds:.0f} %)",
            f"{100 * seen.attacker_cpu_s / self._seconds:.0f}",
            *(f"{p95_ms:.0f}", f"{p95_ms / quiet_ms:.1f}" if quiet_ms else "-"),
            f"{1000 * max(seen.probes_s, default=0):.0f}",
            f"+{seen.grown_mb:.0f}",
        ]


def judge(kind: str, answers: Counter[str], seen: Seen) -> list[str]:
    found = [f"a good photo was lost: {words}" for words in seen.lost[:3]]
    if not seen.photos_s:
        found.append("no good photo was answered at all")
    if answers["500"]:
        found.append(f"our own failure: {answers['500']} times 500")
    if seen.grown_mb > MOST_MB[kind]:
        found.append(f"{seen.grown_mb:.0f} MB, at most {MOST_MB[kind]}")
    return found


def _find_p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)] if taken else 0.0
