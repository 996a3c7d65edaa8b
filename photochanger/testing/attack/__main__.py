"""Each attack for some seconds, beside good booths. Ends with 1 when one succeeds."""

import argparse
import json
import sys
import time
from contextlib import suppress

from rich.console import Console
from rich.table import Table

from photochanger.testing import live
from photochanger.testing.attack.insiders import INSIDERS
from photochanger.testing.attack.strangers import STRANGERS, Attack, Target
from photochanger.testing.attack.witness import Witness
from photochanger.testing.server_process import Server

MOST_MB = {"strangers": 30, "insiders": 350}
CALM_S = 2.0  # after each one, so that what it left is not counted with the next
COLUMNS = ("attack", "answers", "photos p95 (ms)", "times quiet", "/livez worst (ms)", "RSS (MB)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make attack ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each attack (15)")
    parser.add_argument("--only", help="attacks with this in their name")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not SQLite")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    with live.site("postgresql" if given.postgres else "sqlite") as site, site.simulator():
        recipe = {"settings": {"prompt": "As an oil painting"}}
        limits = {"max_jobs_per_slot": 40, "max_jobs_per_provider": 80}
        site.configure_all(dict.fromkeys(("slot-001", "slot-002"), recipe), limits=limits)
        with site.server() as server:
            succeeded = _attack_all(server, site.password, given, console)
            succeeded += find_tracebacks(server.log_text())
    for words in succeeded:
        console.print(f"  {words}", style="red", highlight=False)
    return 1 if succeeded else 0


def find_tracebacks(log: str) -> list[str]:
    """Each kind once, by its last line: what nobody has thought of."""
    kinds = set()
    for line in log.splitlines():
        with suppress(ValueError):
            told = json.loads(line)
            if trace := str(told.get("exception", "")).strip():
                kinds.add(f"{told['event'].splitlines()[0]}: {trace.splitlines()[-1]}")
    return [f"a traceback in the server's log: {kind[:200]}" for kind in sorted(kinds)]


def _attack_all(
    server: Server, password: str, given: argparse.Namespace, console: Console
) -> list[str]:
    """What succeeded, in words."""
    table = Table(title=f"{given.seconds:g} s of each; good ones beside it")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in COLUMNS[:2] else "right")
    quiet = _watch(server, password, given.seconds, None)
    quiet_ms = 1000 * _find_p95(quiet.photos_s)
    _add_row(table, "nothing", Target(server, password, 0), quiet, quiet_ms)
    succeeded: list[str] = []
    for kind, attacks in (("strangers", STRANGERS), ("insiders", INSIDERS)):
        for attack in attacks:
            name = attack.__name__.replace("_", " ")
            if given.only and given.only not in name:
                continue
            console.print(f"{name} ...", style="dim")
            target = Target(server, password, time.monotonic() + given.seconds)
            seen = _watch(server, password, given.seconds, (attack, target))
            _add_row(table, name, target, seen, quiet_ms)
            succeeded += [f"{name}: {words}" for words in judge(kind, target, seen)]
            time.sleep(CALM_S)
    console.print(table)
    return succeeded


def _watch(
    server: Server, password: str, seconds: float, attacked: tuple[Attack, Target] | None
) -> Witness:
    with Witness(server, password) as witness:
        if attacked is None:
            time.sleep(seconds)
        else:
            attack, target = attacked
            attack(target)
    return witness


def judge(kind: str, target: Target, seen: Witness) -> list[str]:
    found = [f"a good photo was lost: {words}" for words in seen.lost[:3]]
    if not seen.photos_s:
        found.append("no good photo was answered at all")
    if own := {name: n for name, n in target.answers.items() if name == "500"}:
        found.append(f"our own failure: {own}")
    if seen.grown_mb > MOST_MB[kind]:
        found.append(f"{seen.grown_mb:.0f} MB, at most {MOST_MB[kind]}")
    return found


def _add_row(table: Table, name: str, target: Target, seen: Witness, quiet_ms: float) -> None:
    answers = ", ".join(f"{status}: {n}" for status, n in target.answers.most_common(3))
    p95_ms = 1000 * _find_p95(seen.photos_s)
    times = f"{p95_ms / quiet_ms:.1f}" if quiet_ms else "-"
    worst_ms = 1000 * max(seen.probes_s, default=0)
    table.add_row(name, answers, f"{p95_ms:.0f}", times, f"{worst_ms:.0f}", f"+{seen.grown_mb:.0f}")


def _find_p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)] if taken else 0.0


if __name__ == "__main__":
    sys.exit(main())
