"""Close the job row on every exit (success, failure, timeout, disconnect, bug) and record why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils import timezone
from PIL import Image

from ingest.models import Attempt, Job
from ingest.pipeline.order import Order
from ingest.pipeline.result_check import ResultPicture
from media import storage
from media.provider_inputs import remove_inputs
from media.services import record_result
from photochanger import metrics
from photochanger.db import in_db_with_retry
from photochanger.errors import AppError, ClientGone, InternalError, ProviderTimeout, StorageError
from providers.pictures import Picture
from slots.models import Slot

log = structlog.get_logger()

# A database that restarts is back in a second or two: a paid picture is worth that wait. Never
# much longer than the booth waits, though.
DONE_PATIENCE_S, PAST_DEADLINE_S = 3.0, 1.0
REMOVE_PATIENCE_S = 1.0
FAILED_PATIENCE_S = 0.5  # the booth is to hear of its failure now


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoResult:
    """The picture to answer with, and the job it is the result of; ``image`` is the same picture
    decoded, when it is a new one, for the preview that is made after the answer."""

    job: Job
    picture: Picture
    image: Image.Image | None = None
    is_replay: bool = False


@dataclass(slots=True)
class JobRun:
    """What a job gathers on its way; written once, when it closes."""

    job: Job
    order: Order
    attempts: list[Attempt] = field(default_factory=list)
    result: ResultPicture | None = None
    stored_path: str = ""
    has_inputs: bool = False  # something was published for the provider to fetch
    files: ExitStack = field(default_factory=ExitStack)  # closed with the job

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
        patience_s = min(DONE_PATIENCE_S, order.deadline.left_s + PAST_DEADLINE_S)
        await asyncio.shield(in_db_with_retry(close_done, patience_s, run))
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


async def _fail(run: JobRun, error: AppError) -> None:
    try:
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


def close_done(run: JobRun) -> None:
    """Status, times, result and attempts in one transaction. Raises StorageError."""
    job, result = run.job, run.result
    assert result is not None
    now = timezone.now()
    expires_at = now + run.order.result_lifetime
    fetches = withdraw_inputs(run)
    with transaction.atomic():
        is_ours = _close(
            run,
            provider_fetches=fetches,
            finished_at=now,
            status=Job.Status.DONE,
            result_path=run.stored_path,
            result_mime=result.mime,
            result_bytes=len(result.body),
            result_width=result.image.width,
            result_height=result.image.height,
            result_expires_at=expires_at,
        )
        if not is_ours:
            raise StorageError("the job was closed by somebody else meanwhile")
        record_result(
            *(job.slot_id, job.pk, run.stored_path),
            mime=result.mime,
            size_bytes=len(result.body),
            sha256=result.sha256,
            created_at=now,
            expires_at=expires_at,
            is_listed=job.source == Job.Source.INGEST,
        )
    job.result_expires_at = expires_at
    _report_closed(run, status=Job.Status.DONE)


def close_failed(run: JobRun, error: AppError) -> bool:
    """Returns False when the row was closed already, for example as done a moment ago."""
    status = Job.Status.TIMEOUT if isinstance(error, ProviderTimeout) else Job.Status.FAILED
    fetches, detail = withdraw_inputs(run), str(error)[:500]
    if fetches == 0:  # the best hint there is when a provider goes silent
        detail = f"{detail[:440]}; the provider never fetched the photo"
    with transaction.atomic():
        is_closed = _close(
            run,
            finished_at=timezone.now(),
            status=status,
            failure_reason=error.reason,
            failure_detail=detail,
            provider_fetches=fetches,
            fell_back=falls_back(run.order, error),
            replay_key=None,  # a repeat is a new job
        )
    if is_closed:
        _report_closed(run, status=status, reason=error.reason, detail=detail)
    return is_closed


def falls_back(order: Order, error: AppError) -> bool:
    """Is the booth to get its own photo instead of this failure? Only once a job was opened."""
    is_wanted = order.slot.on_failure == Slot.OnFailure.ORIGINAL and not order.is_trial
    return is_wanted and error.job_id is not None and error.status >= 500


def withdraw_inputs(run: JobRun) -> int | None:
    """Take back what was published; how often it was fetched, None when nothing was."""
    return remove_inputs(run.job.pk) if run.has_inputs else None


def _close(run: JobRun, *, finished_at: datetime, **values: object) -> bool:
    """Close the row if it is still open: of two who try, one wins."""
    job = run.job
    closed = Job.objects.filter(pk=job.pk, status=Job.Status.PROCESSING).update(
        finished_at=finished_at,
        duration_ms=to_milliseconds((finished_at - job.started_at).total_seconds()),
        provider_ms=run.provider_ms,
        **values,
    )
    if closed:
        for attempt in run.attempts:
            attempt.pk = None  # one from a transaction that was rolled back may be another's now
        Attempt.objects.bulk_create(run.attempts)
    return bool(closed)


def to_milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _report_closed(run: JobRun, *, status: Job.Status, reason: str = "", **facts: object) -> None:
    """To the log and the metrics."""
    job = run.job
    duration_ms = to_milliseconds((timezone.now() - job.started_at).total_seconds())
    level = log.info if status == Job.Status.DONE else log.warning
    level(
        "ingest.job.closed",
        job=str(job.pk),
        slot=job.slot_id,
        status=status,
        **({"reason": reason} if reason else {}),
        provider_ms=run.provider_ms,
        duration_ms=duration_ms,
        size_bytes=len(run.result.body) if run.result else None,
        **facts,
    )
    metrics.photo_closed(
        slot=job.slot_id,
        provider=job.provider,
        source=job.source,
        status=status,
        reason=reason,
        duration_ms=duration_ms,
        provider_ms=run.provider_ms,
    )
