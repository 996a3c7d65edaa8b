"""Many expired pictures: how long cleanup takes, and that its memory does not grow."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from photochanger.bench.figures import MB, Requirements, mb
from photochanger.testing import live
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.old_files import expired_results, stray_file

MAX_GROWTH_MB = 20.0  # over a run with nothing to do
SAMPLE_EVERY_S = 0.01


def cleanup(site: live.LiveSite, files: int, requirements: Requirements, console: Console) -> None:
    """``files`` expired results, and a tenth as many files without rows."""
    orphans = files // 10
    _, idle_bytes, _ = _run(site)
    batches = expired_results(site, files)
    for _ in track(batches, "Old results", console=console, transient=True, total=None):
        pass
    for _ in track(range(orphans), "Orphans", console=console, transient=True):
        stray_file(site)
    report, peak_bytes, took_s = _run(site)
    growth = peak_bytes - idle_bytes
    is_whole = report["removed"]["result"] == files and report["removed"]["orphan"] == orphans
    table = Table(title="manage.py cleanup_media")
    for column in ("results", "orphans", "s", "files/s", "peak RSS MB", "growth MB", ""):
        table.add_column(column, justify="right")
    is_held = is_whole and not report["failures"] and growth <= MAX_GROWTH_MB * MB
    table.add_row(
        *(str(files), str(orphans), f"{took_s:.1f}", f"{(files + orphans) / took_s:.0f}"),
        *(mb(peak_bytes), mb(growth), requirements.require(is_held, "cleanup")),
    )
    console.print(table)


def _run(site: live.LiveSite) -> tuple[dict[str, Any], int, float]:
    """The command's report, the most memory it took, and its seconds."""
    started, peak_bytes = time.monotonic(), 0
    with subprocess.Popen(
        [sys.executable, "manage.py", "cleanup_media", "--json"],
        cwd=BASE_DIR,
        env=site.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak_bytes = max(peak_bytes, watched.memory_info().rss)
            time.sleep(SAMPLE_EVERY_S)
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
    return report, peak_bytes, time.monotonic() - started
