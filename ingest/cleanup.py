"""Clean up: remove expired files, close jobs of dead servers, remember the last run's report."""

import time
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Coalesce
from pydantic import BaseModel

from ingest.capture.recorder import delete_captures
from ingest.costs.spending import Amounts, add_spendings
from ingest.events.purge import finish_purges
from ingest.forgetting import forget_guest_texts, forget_people
from ingest.lab.claims import settle_all_dead
from ingest.lab.keeping import delete_old_runs
from ingest.models import Job
from ingest.pipeline.closing import CLOSED_AFTER
from ingest.pipeline.late_closings import settle_stored
from ingest.refusals.store import delete_old_refusals
from ingest.trials.records import delete_old_trials
from media.cleanup import Progress, Sweep
from media.deletion import forget_deleted
from media.erasure.held import remove_held
from photochanger.db import clock
from photochanger.errors import Interrupted, StorageError
from slots.approval.pin import forget_tries
from slots.letters.queue import forget_letters
from slots.platform_settings import load_platform_settings
from slots.setting_rows import load_fact, store_fact

log = structlog.get_logger()

LAST_RUN = "cleanup.last"
BATCH = 500
DETAIL = "the server stopped while it worked on this photo; closed by cleanup"


class CleanupReport(BaseModel, frozen=True):
    """What one run did; after a dry run, what it would have done."""

    finished_at: datetime
    took_ms: int
    by: str
    slot_id: str | None  # none: all
    dry_run: bool
    closed_jobs: int  # left open by a server that died
    moved_results: int  # whose expiry follows a changed setting
    removed: dict[str, int]  # files, by kind
    lost_files: int  # rows whose file was missing
    forgotten_rows: int  # of files that were deleted long ago
    freed_bytes: int
    failures: int  # the log names each


def clean_up(
    slot_id: str | None = None,
    *,
    dry_run: bool = False,
    by: str,
    progress: Progress = lambda step, done, total: None,
) -> CleanupReport:
    """Remove what has expired, of one slot or of all; with ``dry_run`` only count it.

    Blocking, for minutes when there is much. Runs may overlap, and may be killed at any point. A
    file that cannot be removed is a failure in the report, never an exception.
    """
    started = time.monotonic()
    sweep = Sweep(slot_id=slot_id, dry_run=dry_run, progress=progress)
    sweep.apply_ttl(load_platform_settings().result_ttl_hours)
    closed_jobs = _close_jobs(slot_id, dry_run=dry_run)
    sweep.remove_expired()
    sweep.remove_orphans()
    sweep.mark_lost()  # after it: it has read the list of a bucket
    sweep.delete_old_rows()
    if not dry_run:
        _delete_old_traces()
    report = _make_report(sweep, took_s=time.monotonic() - started, by=by, closed_jobs=closed_jobs)
    if slot_id is None and not dry_run:  # a run for one slot must not hide that cron does not run
        store_fact(LAST_RUN, report.model_dump(mode="json"), by=by)
    level = log.warning if report.failures else log.info
    facts = report.model_dump(mode="json", exclude={"finished_at", "slot_id"})
    level("media.cleanup.finished", slot=slot_id or "all", **facts)
    return report


def _make_report(sweep: Sweep, *, took_s: float, by: str, closed_jobs: int) -> CleanupReport:
    return CleanupReport(
        finished_at=clock.now(),
        took_ms=round(took_s * 1000),
        by=by,
        slot_id=sweep.slot_id,
        dry_run=sweep.dry_run,
        closed_jobs=closed_jobs,
        moved_results=sweep.moved_results,
        removed=dict(sweep.removed),
        lost_files=sweep.lost_files,
        forgotten_rows=sweep.forgotten_rows,
        freed_bytes=sweep.freed_bytes,
        failures=sweep.failures,
    )


def _close_jobs(slot_id: str | None, *, dry_run: bool) -> int:
    """What became of photos while the database was away comes first: before they count as
    interrupted, and before the files of their pictures count as nobody's."""
    if not dry_run:
        try:
            settle_stored()
        except (OSError, StorageError) as exc:  # the next run tries again
            log.error("ingest.closing.failed", detail=str(exc))
    return close_overdue(slot_id, dry_run=dry_run)


def _delete_old_traces() -> None:
    """Of requests: what was captured, what was refused, what was tried."""
    delete_captures()
    delete_old_trials()
    settle_all_dead()
    delete_old_runs()
    delete_old_refusals()
    _finish_deletions()
    forget_people()
    forget_guest_texts()
    forget_tries()
    forget_letters()


def _finish_deletions() -> None:
    """Erase what guests deleted an hour ago, what a restored database has brought back, and the
    rest of events that somebody has purged: none of them waits for another."""
    for step in (remove_held, forget_deleted, finish_purges):
        try:
            step()
        except (OSError, StorageError) as exc:  # the next run tries again
            log.error("media.tombstone.read_failed", detail=str(exc))


def load_last_cleanup() -> CleanupReport | None:
    """The report of the last run over all slots that finished; None when there was none yet."""
    stored = load_fact(LAST_RUN)
    return CleanupReport.model_validate(stored) if stored else None


def close_overdue(slot_id: str | None = None, *, dry_run: bool = False) -> int:
    """Close the rows of jobs whose server died; readers see them as failed already."""
    overdue = Job.objects.filter(
        status=Job.Status.PROCESSING, deadline__lt=clock.now() - CLOSED_AFTER
    )
    if slot_id is not None:
        overdue = overdue.filter(slot_id=slot_id)
    if dry_run:
        return overdue.count()
    closed = 0
    while batch := _close_batch(overdue):
        closed += len(batch)
        for job in batch:
            log.warning(
                "ingest.job.closed",
                job=str(job.pk),
                slot=job.slot_id,
                status=Job.Status.FAILED,
                reason=Interrupted.reason,
                detail=DETAIL,
            )
    return closed


@transaction.atomic
def _close_batch(overdue: QuerySet[Job]) -> list[Job]:
    """Close one batch; jobs that another run is closing at the moment are skipped."""
    rows = overdue.order_by("deadline").select_for_update(skip_locked=True, no_key=True)
    batch = list(rows[:BATCH])
    Job.objects.filter(pk__in=[job.pk for job in batch], status=Job.Status.PROCESSING).update(
        status=Job.Status.FAILED,
        failure_reason=Interrupted.reason,
        failure_detail=DETAIL,
        # The deadline is when the job was over for its booth and every reader; the time of cleanup
        # means nothing. How long the server worked on it is unknown, so it has no duration.
        finished_at=F("deadline"),
        replay_key=None,  # a repeat is a new job
        # Nobody knows whether a call was on its way: what was reserved is probably paid.
        cost_micros=0,
        probable_micros=Coalesce("reserved_micros", 0),
        unpriced_calls=Case(When(reserved_micros=None, then=1), default=0),
    )
    for job in batch:
        job.probable_micros = job.reserved_micros or 0
        job.unpriced_calls = int(job.reserved_micros is None)
    add_spendings((job, Amounts.of_job(job)) for job in batch)
    return batch
