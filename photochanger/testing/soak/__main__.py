"""Booths, faults and a judge, for some minutes. Ends with 1 when anything was found."""

import argparse
import secrets
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from photochanger.testing.soak.booths import Crowd
from photochanger.testing.soak.evidence import Evidence, Row, Trouble
from photochanger.testing.soak.faults import break_things
from photochanger.testing.soak.judge import Finding, judge
from photochanger.testing.soak.stage import (
    PROVIDER_LIMIT,
    SCENARIOS,
    SLOT_LIMIT,
    T_SYNC_S,
    Stage,
    open_stage,
)

KEPT = Path("var/soak")
CLOSED_AFTER_S = 62  # beyond T_sync cleanup leaves a job that long to a server that may be alive
EXAMPLES = 3
IS_ITS = "called.job_id = job_history.job_id"
SLOW_PROBE_S = {"/livez": 0.25, "/healthz": 1.0}


def main() -> int:
    given = _read_arguments()
    console = Console()
    kind = "SQLite" if given.sqlite else "PostgreSQL"
    console.print(
        f"{given.minutes:g} min, {given.servers} server(s) on {kind}, seed {given.seed}, "
        f"one clock {given.skew} s ahead"
    )
    stage = open_stage(servers=given.servers, is_postgres=not given.sqlite, skew_s=given.skew)
    with stage as opened:
        evidence = _soak(opened, given, console)
    journal = KEPT / f"{datetime.now():%Y%m%d-%H%M%S}.jsonl"
    evidence.write_journal(journal)
    _print_figures(evidence, console)
    findings = judge(evidence)
    _print_findings(findings, console)
    is_well = not any(finding.against for finding in findings)
    console.print(f"Each answer, fault and probe: {journal}")
    if not is_well:
        rest = ["--seed", str(given.seed)] if "--seed" not in sys.argv else []
        console.print(f'The same again: make soak ARGS="{" ".join([*sys.argv[1:], *rest])}"')
    return 0 if is_well else 1


def _read_arguments() -> Any:
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of load (10)")
    parser.add_argument(
        "--servers", type=int, choices=(1, 2), default=1, help="on one database (1)"
    )
    parser.add_argument("--sqlite", action="store_true", help="not PostgreSQL; one server only")
    parser.add_argument(
        "--skew", type=int, default=0, help="seconds that the second server's clock is ahead"
    )
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10_000), help="order of faults"
    )
    given = parser.parse_args()
    if given.sqlite and given.servers > 1:
        parser.error("--sqlite serves one server only")
    if given.skew and given.servers == 1:
        parser.error("--skew moves the clock of the second of --servers 2")
    return given


def _soak(stage: Stage, given: Any, console: Console) -> Evidence:
    urls = [machine.server.url for machine in stage.machines]
    crowd = Crowd(urls, stage.site.password, list(SCENARIOS), t_sync_s=T_SYNC_S)
    ended = threading.Event()
    until = time.monotonic() + given.minutes * 60
    troubles: list[Trouble] = []
    crowd.start()
    try:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console
        ) as progress:
            task = progress.add_task("calm", total=given.minutes * 60)
            for trouble in break_things(stage, until=until, seed=given.seed, ended=ended):
                troubles.append(trouble)
                told = f"{trouble.name}, {trouble.ended_at - trouble.begun_at:.0f} s"
                progress.console.print(f"  {told}; {len(crowd.answers)} photos answered")
                progress.update(task, completed=given.minutes * 60 - (until - time.monotonic()))
            ended.wait(max(0.0, until - time.monotonic()))
    finally:
        crowd.stop()
    # What killed servers have left open is over then.
    killed_at = max((trouble.ended_at for trouble in troubles if trouble.kills), default=0.0)
    time.sleep(max(0.0, killed_at + T_SYNC_S + CLOSED_AFTER_S - time.monotonic()))
    return _gather(stage, crowd, troubles)


def _gather(stage: Stage, crowd: Crowd, troubles: list[Trouble]) -> Evidence:
    stage.site.manage("cleanup_media")
    statistics = stage.read_statistics()
    root = stage.site.media_root
    return Evidence(
        answers=crowd.answers,
        troubles=troubles,
        probes=crowd.probes,
        jobs=_read_jobs(stage),
        media=_read_media(stage),
        files=[str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()],
        logs=stage.read_logs(),
        secrets=stage.secrets,
        statistics=statistics,
        t_sync_s=T_SYNC_S,
        slot_limit=SLOT_LIMIT,
        provider_limit=PROVIDER_LIMIT,
    )


def _read_jobs(stage: Stage) -> list[Row]:
    def seconds(column: str) -> str:
        if stage.postgres:
            return f"extract(epoch from {column})::float"
        return f"(julianday({column}) - 2440587.5) * 86400.0"

    columns = {
        "job_id": "job_id",
        **{name: name for name in ("slot_id", "provider", "status", "failure_reason", "fell_back")},
        # A photo's time begins before it has a place; its service is called when it has one.
        "called": seconds(
            f"(select min(called.started_at) from job_attempt called where {IS_ITS})"
        ),
        "deadline": seconds("deadline"),
        "finished": seconds("finished_at"),
    }
    found = stage.site.rows(f"select {', '.join(columns.values())} from job_history")
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    return [row | {"job_id": str(row["job_id"]).replace("-", "")} for row in rows]


def _read_media(stage: Stage) -> list[Row]:
    found = stage.site.rows("select path, cleaned_at from media_object")
    return [dict(zip(("path", "cleaned_at"), row, strict=True)) for row in found]


def _print_figures(evidence: Evidence, console: Console) -> None:
    table = Table(title="What booths and monitors saw")
    for column in ("what", "how often", "p50 (s)", "p95 (s)", "longest (s)"):
        table.add_column(column, justify="left" if column == "what" else "right")
    groups: dict[str, list[float]] = {}
    for answer in evidence.answers:
        name = f"{answer.status or answer.broken} {answer.reason}"
        groups.setdefault(name, []).append(answer.took_s)
    for probe in evidence.probes:
        if probe.took_s is not None:
            groups.setdefault(probe.path, []).append(probe.took_s)
            if probe.took_s > SLOW_PROBE_S[probe.path]:
                slow = f"{probe.path} over {SLOW_PROBE_S[probe.path]:g} s"
                groups.setdefault(slow, []).append(probe.took_s)
    for name, took in sorted(groups.items()):
        took.sort()
        shares = (took[len(took) // 2], took[int(len(took) * 0.95)], took[-1])
        table.add_row(name, str(len(took)), *(f"{share:.2f}" for share in shares))
    console.print(table)


def _print_findings(findings: list[Finding], console: Console) -> None:
    table = Table(title="What must not be")
    table.add_column("rule")
    table.add_column("against it", justify="right")
    for finding in findings:
        style = "bold red" if finding.against else "green"
        table.add_row(finding.name, str(len(finding.against)), style=style)
    console.print(table)
    for finding in findings:
        for example in finding.against[:EXAMPLES]:
            console.print(f"  {finding.name}: {example}", style="red", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
