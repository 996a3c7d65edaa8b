"""Close the job row on every exit (success, failure, timeout, disconnect, bug) and record why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils import timezone
from PIL import Image

from ingest.faces.watch import Watch
from ingest.models import Attempt, Job
from ingest.pipeline.order import Order
from ingest.pipeline.result_check import ResultPicture
from ingest.pipeline.steps import Stopwatch
from ingest.refusals.causes import name_failure
from media import storage
from media.provider_inputs import remove_inputs
from media.services import record_result
from photochanger import metrics
from photochanger.db import in_db, in_db_with_retry
from photochanger.errors import AppError, ClientGone, InternalError, ProviderTimeout, StorageError
from photochanger.pictures import Picture
from photochanger.threads.time_limit import limit_waits_for
from slots.models import Slot

log = structlog.get_logger()

# A paid picture is never lost to its row: that is tried until the deadline, and then for so much
# longer after the booth has its answer.
CLOSE_LATE_S = 30.0
REMOVE_PATIENCE_S = 1.0
FAILED_PATIENCE_S, FAILED_LIMIT_S = 0.5, 1.5  # the booth is to hear of its failure now
PICTURE_PATIENCE_S = 3.0  # and to get its picture: a row that takes longer is written afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoResult:
    """The picture to answer with, and the job it is the result of; ``image`` is the same picture
    decoded, when it is a new one, for the preview that is made after the answer."""

    job: Job
    picture: Picture
    image: Image.Image | None = None
    is_replay: bool = False
    watch: Watch | None = None  # the look at its photo, to be compared with after the answer
    # The row that could not be written before the deadline: to be waited for after the answer.
    closing: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class JobRun:
    """What a job gathers on its way; written once, when it closes."""

    job: Job
    order: Order
    attempts: list[Attempt] = field(default_factory=list)
    result: ResultPicture | None = None
    stored_path: str = ""
    storage_error: str = ""  # why the result has no file
    closing: "asyncio.Future[None] | None" = None
    watch: Watch | None = None
    people_told: int | None = None  # to the AI service; 0: they were not known
    figures: dict[str, Any] = field(default_factory=dict)  # of faces that are judged already
    has_next_source: bool = False  # a reserve may be asked when the present call fails
    has_inputs: bool = False  # something was published for the provider to fetch
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    steps_ms: dict[str, int] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)  # closed with the job

    def stop_watch(self) -> None:
        self.steps_ms = self.stopwatch.measure(self.order, asyncio.get_running_loop().time())

    @property
    def provider_ms(self) -> int | None:
        return sum(a.duration_ms for a in self.attempts) if self.attempts else None


@asynccontextmanager
async def job_outcome(job: Job, order: Order) -> AsyncIterator[JobRun]:
    """Close the job's row whatever happens in the block, and let the failure go on as AppError.

    The one place where an outcome is decided. The row is closed even when the booth hangs up or
    the server is told to stop.
    """
    run = JobRun(job, order)
    run.files.enter_context(metrics.in_progress.track_inprogress())
    try:
        yield run
        await _close_in_time(run)
    except asyncio.CancelledError:
        await asyncio.shield(_fail(run, ClientGone("the booth hung up")))
        raise
    except AppError as exc:
        exc.job_id = str(job.pk)
        await asyncio.shield(_fail(run, exc))
        raise
    except Exception as exc:  # a bug: the row must say so, and the booth gets a clean answer
        log.exception("ingest.job.crashed", job=str(job.pk))
        kind = StorageError if isinstance(exc, AnyDatabaseError) else InternalError
        error = kind(type(exc).__name__, job_id=str(job.pk))
        await asyncio.shield(_fail(run, error))
        raise error from exc
    finally:
        run.files.close()


async def _close_in_time(run: JobRun) -> None:
    """Write the row of a picture, and wait for that no longer than the booth can.

    Never raises: the picture is there and paid for, whatever becomes of its row.
    """
    run.stop_watch()
    run.closing = asyncio.ensure_future(_close_and_report(run, timezone.now()))
    left_s = min(PICTURE_PATIENCE_S, run.order.deadline.left_s)
    await asyncio.wait([run.closing], timeout=max(0.0, left_s))


async def _close_and_report(run: JobRun, finished_at: datetime) -> None:
    job, patience_s = run.job, run.order.deadline.left_s + CLOSE_LATE_S
    try:
        with limit_waits_for(patience_s):
            fetches = await in_db(withdraw_inputs, run) if run.has_inputs else None
            is_closed = await in_db_with_retry(close_done, patience_s, run, finished_at, fetches)
    except AnyDatabaseError:
        log.exception("ingest.job.left_open", job=str(job.pk), status=Job.Status.DONE)
        return
    if is_closed:
        _report_closed(run, status=Job.Status.DONE, finished_at=finished_at)
    else:
        log.error("ingest.job.closed_twice", job=str(job.pk))


async def _fail(run: JobRun, error: AppError) -> None:
    run.stop_watch()
    try:
        with limit_waits_for(FAILED_LIMIT_S):
            is_closed = await in_db_with_retry(close_failed, FAILED_PATIENCE_S, run, error)
    except AnyDatabaseError:
        # Readers will see the row as interrupted once its deadline has passed; what was stored is
        # swept by cleanup. The booth still gets the answer of what went wrong first.
        log.exception("ingest.job.left_open", job=str(run.job.pk), reason=error.reason)
        return
    if is_closed and run.stored_path:  # no row points there
        try:
            async with asyncio.timeout(REMOVE_PATIENCE_S):  # the thread goes on by itself
                await asyncio.to_thread(storage.remove, run.stored_path)
        except OSError:  # a sick disk; the booth still hears in time what went wrong first
            log.exception("ingest.result.delete_failed", job=str(run.job.pk))


def close_done(run: JobRun, finished_at: datetime, fetches: int | None) -> bool:
    """Status, times, result and attempts in one transaction.

    Returns False when the row was closed already. A result without a file is done too: the booth
    has it, and nobody else will.
    """
    job, result = run.job, run.result
    assert result is not None
    expires_at = finished_at + run.order.result_lifetime if run.stored_path else None
    with transaction.atomic():
        is_ours = _close(
            run,
            provider_fetches=fetches,
            finished_at=finished_at,
            status=Job.Status.DONE,
            failure_detail=run.storage_error,
            result_path=run.stored_path,
            result_mime=result.mime,
            result_bytes=len(result.body),
            result_width=result.image.width,
            result_height=result.image.height,
            result_expires_at=expires_at,
            **({} if run.stored_path else {"replay_key": None}),
            **run.figures,
        )
        if is_ours and expires_at:
            record_result(
                *(job.slot_id, job.pk, run.stored_path),
                mime=result.mime,
                size_bytes=len(result.body),
                sha256=result.sha256,
                created_at=finished_at,
                expires_at=expires_at,
                is_listed=job.source == Job.Source.INGEST,
            )
    if is_ours:
        job.result_expires_at, job.steps_ms = expires_at, run.steps_ms
    return is_ours


def close_failed(run: JobRun, error: AppError) -> bool:
    """Returns False when the row was closed already, for example as done a moment ago."""
    status = Job.Status.TIMEOUT if isinstance(error, ProviderTimeout) else Job.Status.FAILED
    fetches, detail, now = withdraw_inputs(run), str(error)[:500], timezone.now()
    if fetches == 0:  # the best hint there is when a provider goes silent
        detail = f"{detail[:440]}; the provider never fetched the photo"
    with transaction.atomic():
        is_closed = _close(
            run,
            finished_at=now,
            status=status,
            failure_reason=error.reason,
            failure_detail=detail,
            provider_fetches=fetches,
            fell_back=falls_back(run.order, error),
            replay_key=None,  # a repeat is a new job
        )
    if is_closed:
        _report_closed(run, status=status, finished_at=now, reason=error.reason, detail=detail)
    return is_closed


def falls_back(order: Order, error: AppError) -> bool:
    """Is the booth to get its own photo instead of this failure? Only once a job was opened."""
    is_wanted = order.slot.on_failure == Slot.OnFailure.ORIGINAL and not order.is_trial
    return is_wanted and error.job_id is not None and error.status >= 500


def withdraw_inputs(run: JobRun) -> int | None:
    """Take back what was published; how often it was fetched, None when nothing was.

    What fails here costs nobody a picture: a link ends at the deadline, and cleanup deletes.
    """
    if not run.has_inputs:
        return None
    try:
        return remove_inputs(run.job.pk)
    except (AppError, AnyDatabaseError, OSError):
        log.exception("ingest.inputs.delete_failed", job=str(run.job.pk))
        return None


def _close(run: JobRun, *, finished_at: datetime, **values: object) -> bool:
    """Close the row if it is still open: of two who try, one wins."""
    job = run.job
    closed = Job.objects.filter(pk=job.pk, status=Job.Status.PROCESSING).update(
        finished_at=finished_at,
        duration_ms=to_milliseconds((finished_at - job.started_at).total_seconds()),
        provider=job.provider,  # the last one that was asked
        operation=job.operation,
        reserve=job.reserve,
        provider_ms=run.provider_ms,
        steps_ms=run.steps_ms,
        people_told=run.people_told,
        **values,
    )
    if closed:
        for attempt in run.attempts:
            attempt.pk = None  # one from a transaction that was rolled back may be another's now
        Attempt.objects.bulk_create(run.attempts)
    return bool(closed)


def to_milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _report_closed(
    run: JobRun,
    *,
    status: Job.Status,
    finished_at: datetime,
    reason: str = "",
    detail: str = "",
) -> None:
    """To the log and the metrics."""
    job = run.job
    duration_ms = to_milliseconds((finished_at - job.started_at).total_seconds())
    level = log.info if status == Job.Status.DONE else log.warning
    level(
        "ingest.job.closed",
        job=str(job.pk),
        slot=job.slot_id,
        status=status,
        **({"reason": reason, "detail": detail} if reason else {}),
        provider_ms=run.provider_ms,
        duration_ms=duration_ms,
        size_bytes=len(run.result.body) if run.result else None,
    )
    metrics.count_photo_closed(
        slot=job.slot_id,
        provider=job.provider,
        source=job.source,
        status=status,
        reason=name_failure(reason, detail),
        duration_ms=duration_ms,
        provider_ms=run.provider_ms,
    )
    if status == Job.Status.DONE and job.source == Job.Source.INGEST:
        metrics.count_photo_steps(run.steps_ms)
