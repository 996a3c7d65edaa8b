import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from ingest.cleanup import CleanupReport, clean_up
from media.cleanup import Progress as ReportProgress
from slots.models import SLOT_IDS, Slot


class Command(BaseCommand):
    help = (
        "Removes pictures whose time is over, files without rows, and rows without files; closes "
        "photos that a dead server left open. For cron, every 15 minutes. May run twice at once "
        "and be stopped at any point. Ends with status 1 when something could not be removed."
    )

    requires_system_checks: list[str] = []  # noqa: RUF012  it runs where no secrets are

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count; touch nothing")
        parser.add_argument("--slot", metavar="SLOT", help="such as slot-003 (default: all)")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        slot_id = options["slot"]
        if slot_id is not None and not Slot.objects.filter(pk=slot_id).exists():
            there_are = f"{SLOT_IDS[0]} to {SLOT_IDS[-1]}"
            raise CommandError(f"There is no slot {slot_id}; they are {there_are}.")
        with _progress_bars() as update:
            report = clean_up(
                slot_id,
                dry_run=options["dry_run"],
                by="manage.py cleanup_media",
                progress=update,
            )
        self.stdout.write(
            report.model_dump_json(indent=2) if options["json"] else _format_report(report)
        )
        if report.failures:
            raise CommandError(f"{report.failures} failures: the log names each of them.")


@contextmanager
def _progress_bars() -> Iterator[ReportProgress]:
    """A bar for each step on a terminal; elsewhere nothing."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    is_shown = sys.stderr.isatty()
    with Progress(*columns, console=console, transient=True, disable=not is_shown) as bars:
        tasks: dict[str, Any] = {}

        def update(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step.capitalize(), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield update


def _format_report(report: CleanupReport) -> str:
    removed = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in report.removed.items() if count
    )
    would = "would be " if report.dry_run else ""
    lines = [
        f"Files {would}removed: {removed or 'none'}; {report.freed_bytes / 1e6:.1f} MB",
        f"Photos {would}closed as interrupted: {report.closed_jobs}",
        f"Rows without a file {would}marked: {report.lost_files}",
        f"Old rows {would}deleted: {report.forgotten_rows}",
    ]
    if report.moved_results:
        lines.append(f"Results {would}given another time: {report.moved_results}")
    return "\n".join([*lines, f"Took {report.took_ms / 1000:.1f} s"])
