"""Close the job row on every exit (success, failure, timeout, disconnect, bug) and record why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import Error as AnyDatabaseError
from PIL import Image

from ingest.costs.price_table import NO_PRICES, PriceTable
from ingest.faces.search import FaceSearch
from ingest.models import Attempt, Job
from ingest.pipeline.closing import Closing
from ingest.pipeline.late_closings import keep_closing
from ingest.pipeline.order import Order
from ingest.pipeline.result_check import ResultPicture
from ingest.pipeline.steps import Stopwatch
from ingest.refusals.errors import BudgetSpent
from media import storage
from media.models import MediaObject
from media.provider_inputs import remove_inputs
from media.services import make_result
from photochanger import metrics
from photochanger.db import clock, in_db, in_db_with_retry
from photochanger.errors import (
    AppError,
    ClientGone,
    InternalError,
    ProviderTimeout,
    StorageError,
)
from photochanger.pictures import Picture
from photochanger.pictures.printing import Frame
from photochanger.threads.time_limit import limit_waits_for
from providers.base import Reference
from slots.models import Slot
from slots.prompts.texts import hide_texts

log = structlog.get_logger()

CLOSE_PATIENCE_S = 5.0  # survives a restart of the database; what takes longer is written late
REMOVE_PATIENCE_S = 1.0
FAILED_PATIENCE_S, FAILED_LIMIT_S = 0.5, 1.5  # the booth is to hear of its failure now
PICTURE_PATIENCE_S = 3.0  # and to get its picture, whatever becomes of the row


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoResult:
    """The picture to answer with, and the job it is the result of.

    ``image``: the same picture decoded, when it is a new one, for the preview that is made after
    the answer. ``face_image``: what the service made.
    """

    job: Job
    picture: Picture
    image: Image.Image | None = None
    face_image: Image.Image | None = None
    is_replay: bool = False
    face_search: FaceSearch | None = None  # of its photo: compared with after the answer
    is_sorted: bool = False  # it goes on show when it looks safe
    # The row that could not be written before the deadline: to be waited for after the answer.
    closing: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class JobRun:
    """What a job gathers on its way; written once, when it closes."""

    job: Job
    order: Order
    attempts: list[Attempt] = field(default_factory=list)
    prices: PriceTable = NO_PRICES
    result: ResultPicture | None = None
    place_at: str = ""  # the service whose limit counts the job
    stored_path: str = ""
    storage_error: str = ""  # why the result has no file
    closing: "asyncio.Future[None] | None" = None
    time_limit: asyncio.Timeout | None = None  # of the calls; longer once a picture is there
    face_search: FaceSearch | None = None
    people_told: int | None = None  # to the AI service; 0: they were not known
    figures: dict[str, Any] = field(default_factory=dict)  # of faces that are judged already
    has_next_source: bool = False  # a reserve may be asked when the present call fails
    has_inputs: bool = False  # something was published for the provider to fetch
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    steps_ms: dict[str, int] = field(default_factory=dict)
    frame: Frame | None = None  # of the print
    frame_problem: str = ""  # why it has none, though the slot has
    references: tuple[Reference, ...] = ()  # the slot's template pictures, opened
    files: ExitStack = field(default_factory=ExitStack)  # closed with the job

    def hide_texts(self, words: str) -> str:
        """Mask the guests' texts in a service's message, which may quote the prompt."""
        texts = self.job.guest_texts
        return hide_texts(words, texts.values()) if texts else words

    def record_steps(self) -> None:
        self.steps_ms = self.stopwatch.measure(self.order, asyncio.get_running_loop().time())


@asynccontextmanager
async def job_outcome(
    job: Job, order: Order, *, prices: PriceTable = NO_PRICES
) -> AsyncIterator[JobRun]:
    """Close the job's row whatever happens in the block, and let the failure go on as AppError.

    The one place where an outcome is decided. The row is closed even when the booth hangs up or
    the server is told to stop.
    """
    run = JobRun(job, order, prices=prices, place_at=job.provider)
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
    run.record_steps()
    run.closing = asyncio.ensure_future(_close_and_report(run, clock.now()))
    left_s = min(PICTURE_PATIENCE_S, run.order.deadline.left_s)
    await asyncio.wait([run.closing], timeout=max(0.0, left_s))


async def _close_and_report(run: JobRun, finished_at: datetime) -> None:
    job = run.job
    try:
        with limit_waits_for(CLOSE_PATIENCE_S):
            fetches = await in_db(withdraw_inputs, run) if run.has_inputs else None
            done = describe_done(run, finished_at, fetches)
            is_closed = await in_db_with_retry(close_done, CLOSE_PATIENCE_S, run, done)
    except AnyDatabaseError:
        log.exception("ingest.job.left_open", job=str(job.pk), status=Job.Status.DONE)
        keep_closing(describe_done(run, finished_at))
        return
    if is_closed:
        done.report()
    else:
        log.error("ingest.job.closed_twice", job=str(job.pk))


async def _fail(run: JobRun, error: AppError) -> None:
    run.record_steps()
    try:
        with limit_waits_for(FAILED_LIMIT_S):
            is_closed = await in_db_with_retry(close_failed, FAILED_PATIENCE_S, run, error)
    except AnyDatabaseError:
        # The booth still gets the answer of what went wrong first, and the row will say the same.
        log.exception("ingest.job.left_open", job=str(run.job.pk), reason=error.reason)
        keep_closing(describe_failed(run, error, clock.now()))
        return
    if is_closed and run.stored_path:  # no row points there
        try:
            async with asyncio.timeout(REMOVE_PATIENCE_S):  # the thread goes on by itself
                await storage.in_threads(storage.remove, run.stored_path)
        except (OSError, StorageError):
            # A sick disk; the booth still hears in time what went wrong first.
            log.exception("ingest.result.delete_failed", job=str(run.job.pk))


def close_done(run: JobRun, done: Closing) -> bool:
    """Status, times, result and attempts in one transaction.

    Returns False when the row was closed already.
    """
    is_ours = done.write()
    if is_ours:
        run.job.result_expires_at, run.job.steps_ms = done.job.result_expires_at, run.steps_ms
    return is_ours


def describe_done(run: JobRun, finished_at: datetime, fetches: int | None = None) -> Closing:
    """A result without a file is done too: the booth has it, and nobody else will."""
    job, result = run.job, run.result
    assert result is not None
    expires_at = finished_at + run.order.result_lifetime if run.stored_path else None
    return Closing.of(
        job,
        run.attempts,
        finished_at=finished_at,
        media=_make_result(run, finished_at, expires_at) if expires_at else None,
        status=Job.Status.DONE,
        failure_reason="",  # where it counted as interrupted meanwhile
        failure_detail=run.storage_error,
        steps_ms=run.steps_ms,
        people_told=run.people_told,
        provider_fetches=fetches,
        result_path=run.stored_path,
        result_mime=result.mime,
        result_bytes=len(result.body),
        result_width=result.image.width,
        result_height=result.image.height,
        credentials=result.credentials.to_json(run.hide_texts),
        result_expires_at=expires_at,
        **run.figures,
        **({} if run.stored_path else {"replay_key": None}),  # without a file a repeat is a new job
    )


def _make_result(run: JobRun, finished_at: datetime, expires_at: datetime) -> MediaObject:
    """The row of its file."""
    job, result = run.job, run.result
    assert result is not None
    return make_result(
        *(job.slot_id, job.pk, run.stored_path),
        mime=result.mime,
        size_bytes=len(result.body),
        sha256=result.sha256,
        created_at=finished_at,
        expires_at=expires_at,
        is_listed=job.source == Job.Source.INGEST,
        event_id=job.event_id,
    )


def close_failed(run: JobRun, error: AppError) -> bool:
    """Returns False when the row was closed already, for example as done a moment ago."""
    failed = describe_failed(run, error, clock.now(), withdraw_inputs(run))
    is_closed = failed.write()
    if is_closed:
        failed.report()
    return is_closed


def describe_failed(
    run: JobRun, error: AppError, now: datetime, fetches: int | None = None
) -> Closing:
    detail = str(error)[:500]
    if fetches == 0:  # the best hint there is when a provider goes silent
        detail = f"{detail[:440]}; the provider never fetched the photo"
    is_late = isinstance(error, ProviderTimeout)
    return Closing.of(
        run.job,
        run.attempts,
        finished_at=now,
        status=Job.Status.TIMEOUT if is_late else Job.Status.FAILED,
        failure_reason=error.reason,
        failure_detail=detail,
        steps_ms=run.steps_ms,
        people_told=run.people_told,
        provider_fetches=fetches,
        fell_back=falls_back(run.order, error),
        replay_key=None,  # a repeat is a new job
    )


def falls_back(order: Order, error: AppError) -> bool:
    """Is the booth to get its own photo instead of this failure? Only once a job was opened."""
    if isinstance(error, BudgetSpent):  # no job was opened: it says itself what is wanted
        return error.prints_original
    is_wanted = order.slot.on_failure == Slot.OnFailure.ORIGINAL and not order.is_trial
    return is_wanted and error.job_id is not None and error.status >= 500


def withdraw_inputs(run: JobRun) -> int | None:
    """Take back what was published; how often it was fetched, None when nothing was.

    What fails here costs nobody a picture: a link ends by itself, and cleanup deletes.
    """
    if not run.has_inputs:
        return None
    try:
        return remove_inputs(run.job.pk)
    except (AppError, AnyDatabaseError, OSError):
        log.exception("ingest.inputs.delete_failed", job=str(run.job.pk))
        return None
