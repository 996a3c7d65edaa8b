"""``make fuzz``: each target for a set time, and what came of it; ends with 1 for any finding.

``api`` is measured in cases, not in time: so many for each operation of the API.
"""

import argparse
import secrets
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from photochanger.testing.fuzz import api
from photochanger.testing.fuzz.run import NAMES, Outcome, fuzz, repeat
from photochanger.testing.fuzz.target import MB

NO_END = 10**9


def main() -> int:
    given, rest = _read_arguments()
    if given.repeat:
        return repeat(given.repeat)
    console, outcomes = Console(), []
    for name in (name for name in NAMES if name in given.only):
        console.print(f"{name}: {given.seconds:g} s at most, seed {given.seed} ...")
        outcome = fuzz(name, seed=given.seed, seconds=given.seconds, cases=given.cases or NO_END)
        _print_findings(outcome, given.seed, console)
        outcomes.append(outcome)
    if outcomes:
        _print_table(outcomes, console)
    is_well = not any(outcome.found for outcome in outcomes)
    if "api" in given.only:
        is_well = _check_api(given, rest) and is_well
    return 0 if is_well else 1


def _read_arguments() -> tuple[Any, list[str]]:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, help="repeats a run; without it a new one each time")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), help=f"of {','.join(NAMES)},api", default=None
    )
    parser.add_argument("--cases", type=int, help="at most, of each target; of each operation: 200")
    parser.add_argument("--repeat", type=Path, help="the file of one case that was found")
    parser.add_argument("--postgres", action="store_true", help="api: on PostgreSQL, not SQLite")
    parser.add_argument("--log", action="store_true", help="api: the server's errors too")
    given, rest = parser.parse_known_args()
    given.only = given.only or [*NAMES, "api"]
    if unknown := set(given.only) - {*NAMES, "api"}:
        parser.error(f"no such target: {', '.join(unknown)}")
    if given.seed is None:
        given.seed = secrets.randbelow(2**31)
    return given, rest


def _print_findings(outcome: Outcome, seed: int, console: Console) -> None:
    for found in outcome.found.values():
        console.print(f"FOUND in {outcome.target}, {found.count} times: {found.kind}", style="bold")
        console.print(found.words, markup=False, highlight=False)
        console.print(f'That case again: make fuzz ARGS="--repeat {found.file}"')
        again = f"--only {outcome.target} --seed {seed} --cases {found.number + 1}"
        console.print(f'All up to it: make fuzz ARGS="{again} --seconds 99999"')


def _print_table(outcomes: list[Outcome], console: Console) -> None:
    table = Table("target", "cases", "seconds", "read whole", "worst, ms of CPU", "memory, MB")
    table.add_column("kept at the end, MB")
    table.add_column("findings")
    for one in outcomes:
        table.add_row(
            *(one.target, f"{one.cases:,}", f"{one.seconds:.0f}", f"{one.read_whole:,}"),
            *(f"{one.worst_ms:.0f} (case {one.worst_case})", f"+{one.peak_bytes / MB:.0f}"),
            *(f"+{one.kept_bytes / MB:.0f}", str(len(one.found))),
        )
    console.print(table)
    console.print(f"{sum(one.cases for one in outcomes):,} cases")


def _check_api(given: Any, rest: list[str]) -> bool:
    cases, database = given.cases or 200, "postgresql" if given.postgres else "sqlite"
    print(f"api: {cases} cases per operation on {database}, seed {given.seed} ...", flush=True)
    checked = api.check(cases=cases, seed=given.seed, database=database, arguments=tuple(rest))
    print(checked.report)
    if given.log:
        print(*(x for x in checked.server_log.splitlines() if '"error"' in x), sep="\n")
    if not checked.is_well:
        same = f"--only api --cases {cases} --seed {given.seed}{' --postgres' * given.postgres}"
        print(f'The same again: make fuzz ARGS="{same}"')
        print("One operation of it: add --include-operation-id NAME to these arguments.")
    return checked.is_well


if __name__ == "__main__":
    sys.exit(main())
