"""How a job ends: every way out closes its row, with one word for what happened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils import timezone

from ingest.models import Attempt, Job
from media import storage
from media.provider_inputs import remove_inputs
from media.services import ResultPicture, record_result
from photochanger import metrics
from photochanger.db import in_db_again
from photochanger.errors import AppError, ClientGone, InternalError, ProviderTimeout, StorageError
from slots.models import Slot

log = structlog.get_logger()

# A database that restarts is back in a second or two: a paid picture is worth that wait. Never
# much longer than the booth waits, though.
DONE_PATIENCE_S, PAST_DEADLINE_S = 3.0, 1.0
REMOVE_PATIENCE_S = 1.0
FAILED_PATIENCE_S = 0.5  # the booth is to hear of its failure now


@dataclass(slots=True)
class Record:
    """What a job gathers on its way; written once, when it closes."""

    job: Job
    keep_for: timedelta  # how long the result will live
    attempts: list[Attempt] = field(default_factory=list)
    result: ResultPicture | None = None
    stored_path: str = ""
    has_inputs: bool = False  # something was published for the provider to fetch
    files: ExitStack = field(default_factory=ExitStack)  # closed with the job

    @property
    def provider_ms(self) -> int | None:
        return sum(a.duration_ms for a in self.attempts) if self.attempts else None


@asynccontextmanager
async def recorded(job: Job, *, keep_for: timedelta) -> AsyncIterator[Record]:
    """Close the job's row whatever happens in the block, and let the failure go on as AppError.

    The one place where an outcome is decided. The row is closed even when the booth hangs up or
    the server is told to stop.
    """
    record = Record(job, keep_for)
    record.files.enter_context(metrics.in_progress.track_inprogress())
    try:
        yield record
        await asyncio.shield(in_db_again(close_done, _patience_s(job), record))
    except asyncio.CancelledError:
        await asyncio.shield(_fail(record, ClientGone("the booth hung up")))
        raise
    except AppError as exc:
        exc.job_id = str(job.pk)
        await asyncio.shield(_fail(record, exc))
        raise
    except Exception as exc:  # a bug: the row must tell, and the booth gets a clean answer
        log.exception("ingest.job.broke", job=str(job.pk))
        kind = StorageError if isinstance(exc, AnyDatabaseError) else InternalError
        error = kind(type(exc).__name__, job_id=str(job.pk))
        await asyncio.shield(_fail(record, error))
        raise error from exc
    finally:
        record.files.close()


def _patience_s(job: Job) -> float:
    left_s = (job.deadline - timezone.now()).total_seconds() + PAST_DEADLINE_S
    return min(DONE_PATIENCE_S, left_s)


async def _fail(record: Record, error: AppError) -> None:
    try:
        is_closed = await in_db_again(close_failed, FAILED_PATIENCE_S, record, error)
    except AnyDatabaseError:
        # Readers will see the row as interrupted once its deadline has passed; what was stored is
        # swept by cleanup. The booth still gets the answer of what went wrong first.
        log.exception("ingest.job.left_open", job=str(record.job.pk), reason=error.reason)
        return
    if is_closed and record.stored_path:  # no row points there
        try:
            async with asyncio.timeout(REMOVE_PATIENCE_S):  # the thread goes on by itself
                await asyncio.to_thread(storage.remove, record.stored_path)
        except OSError:  # a sick disk; the booth still hears in time what went wrong first
            log.exception("ingest.result.not_removed", job=str(record.job.pk))


def close_done(record: Record) -> None:
    """Status, times, result and attempts in one transaction. Raises StorageError."""
    job, result = record.job, record.result
    assert result is not None
    now = timezone.now()
    expires_at = now + record.keep_for
    fetches = withdraw_inputs(record)
    with transaction.atomic():
        is_ours = _close(
            record,
            provider_fetches=fetches,
            finished_at=now,
            status=Job.Status.DONE,
            result_path=record.stored_path,
            result_mime=result.mime,
            result_bytes=len(result.body),
            result_width=result.image.width,
            result_height=result.image.height,
            result_expires_at=expires_at,
        )
        if not is_ours:
            raise StorageError("the job was closed by somebody else meanwhile")
        record_result(
            *(job.slot_id, job.pk, record.stored_path, result),
            created_at=now,
            expires_at=expires_at,
            is_listed=job.source == Job.Source.INGEST,
        )
    job.result_expires_at = expires_at
    _tell_closed(record, status=Job.Status.DONE)


def close_failed(record: Record, error: AppError) -> bool:
    """Returns False when the row was closed already, for example as done a moment ago."""
    status = Job.Status.TIMEOUT if isinstance(error, ProviderTimeout) else Job.Status.FAILED
    fetches, detail = withdraw_inputs(record), str(error)[:500]
    if fetches == 0:  # the best hint there is when a provider goes silent
        detail = f"{detail[:440]}; the provider never fetched the photo"
    with transaction.atomic():
        is_closed = _close(
            record,
            finished_at=timezone.now(),
            status=status,
            failure_reason=error.reason,
            failure_detail=detail,
            provider_fetches=fetches,
            fell_back=falls_back(record.job.slot, record.job.source, error),
            replay_key=None,  # a repeat is a new job
        )
    if is_closed:
        _tell_closed(record, status=status, reason=error.reason, detail=detail)
    return is_closed


def falls_back(slot: Slot, source: str, error: AppError) -> bool:
    """Is the booth to get its own photo instead of this failure?"""
    is_asked = slot.on_failure == Slot.OnFailure.ORIGINAL and source == Job.Source.INGEST
    return is_asked and error.status >= 500


def withdraw_inputs(record: Record) -> int | None:
    """Take back what was published; how often it was fetched, None when nothing was."""
    return remove_inputs(record.job.pk) if record.has_inputs else None


def _close(record: Record, *, finished_at: datetime, **values: object) -> bool:
    """Close the row if it is still open: of two who try, one wins."""
    job = record.job
    closed = Job.objects.filter(pk=job.pk, status=Job.Status.PROCESSING).update(
        finished_at=finished_at,
        duration_ms=milliseconds((finished_at - job.started_at).total_seconds()),
        provider_ms=record.provider_ms,
        **values,
    )
    if closed:
        for attempt in record.attempts:
            attempt.pk = None  # one from a transaction that was rolled back may be another's now
        Attempt.objects.bulk_create(record.attempts)
    return bool(closed)


def milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _tell_closed(record: Record, *, status: Job.Status, reason: str = "", **facts: object) -> None:
    """To the log and to whoever counts."""
    job = record.job
    duration_ms = milliseconds((timezone.now() - job.started_at).total_seconds())
    level = log.info if status == Job.Status.DONE else log.warning
    level(
        "ingest.job.closed",
        job=str(job.pk),
        slot=job.slot_id,
        status=status,
        **({"reason": reason} if reason else {}),
        provider_ms=record.provider_ms,
        duration_ms=duration_ms,
        size_bytes=len(record.result.body) if record.result else None,
        **facts,
    )
    metrics.photo_closed(
        slot=job.slot_id,
        provider=job.provider,
        source=job.source,
        status=status,
        reason=reason,
        duration_ms=duration_ms,
        provider_ms=record.provider_ms,
    )
