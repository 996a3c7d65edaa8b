"""The path of one photo. Read ``process_photo`` first."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.utils import timezone
from PIL import Image
from pydantic import ValidationError

from ingest.admission import Admission, admit
from ingest.closing import Record, milliseconds, recorded
from ingest.gate import check_result
from ingest.models import Attempt, Job
from ingest.reception import Order
from media import storage
from media.services import ResultPicture, record_preview, write_preview
from photochanger.db import in_db
from photochanger.errors import (
    ERROR_BY_REASON,
    AppError,
    ClientGone,
    InternalError,
    Interrupted,
    ProviderConfig,
    ProviderTimeout,
    StorageError,
)
from providers.base import CallTrace, ProviderRequest, Reference
from providers.pictures import Photo, Picture, read_header
from providers.registry import DRIVERS
from slots.models import SlotTemplateMedia
from slots.services import provider_key

T = TypeVar("T")
log = structlog.get_logger()

STORE_RESERVE_S = 0.5  # kept of the deadline for checking, storing and closing
POLL_FIRST_S, POLL_MAX_S = 0.1, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The picture to answer with, and the job it is the result of; ``image`` is the same picture
    decoded, when it is a new one, for the preview that is made after the answer."""

    job: Job
    picture: Picture
    image: Image.Image | None = None
    is_replay: bool = False


async def process_photo(order: Order) -> Outcome:
    """Take one checked photo to a stored result; booth and test run share this path.

    Waits for the provider until the order's deadline. Raises only AppError; once a job is open,
    its row tells the same reason.
    """
    admission = await in_db(admit, order)  # one transaction: limits, duplicates, row
    job = admission.job
    if admission.is_replay:
        return await replay(job, order)
    log.info("ingest.job.opened", job=str(job.pk), slot=job.slot_id, source=job.source)
    async with recorded(job, keep_for=order.keep_for) as record:
        request = await asyncio.to_thread(build_request, record, admission, order)
        # No database connection is held while we wait here.
        record.result = await call_provider(record, request, until=before_deadline(order))
        # File first, row second: a row never points at a file that is not there.
        path = record.result.path(job.slot_id, job.pk)
        await to_the_end(asyncio.to_thread(storage.write, path, record.result.body))
    return Outcome(job=job, picture=picture_of(record.result), image=record.result.image)


def before_deadline(order: Order) -> float:
    return order.deadline_at - STORE_RESERVE_S


def picture_of(result: ResultPicture) -> Picture:
    return Picture(body=result.body, mime=result.mime)


async def keep_preview(job: Job, image: Image.Image) -> None:
    """Make the gallery's small picture, when the booth has its answer already.

    A failure costs nothing: a missing preview is made when somebody asks for it.
    """
    try:
        size = await asyncio.to_thread(write_preview, job.slot_id, job.pk, image)
        await in_db(record_preview, job.slot_id, job.pk, size, expires_at=job.result_expires_at)
    except (AppError, DatabaseError) as exc:
        log.warning("media.preview.failed", job=str(job.pk), detail=str(exc))


async def to_the_end(step: Coroutine[Any, Any, T]) -> T:
    """Let a short step finish even when we are cancelled in the middle of it."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


# --- The provider --------------------------------------------------------------------------------
def build_request(record: Record, admission: Admission, order: Order) -> ProviderRequest[Any]:
    """What the driver may know of the job. Blocking (opens template files).

    Raises ProviderConfig for a slot that cannot work.
    """
    slot = admission.job.slot
    assert admission.provider_row is not None
    try:
        recipe = slot.recipe()
    except (ValidationError, KeyError) as exc:
        raise ProviderConfig(f"the slot's settings are not valid: {exc}"[:500]) from exc
    api_key = provider_key(admission.provider_row)
    if not api_key:
        raise ProviderConfig(f"there is no key for {slot.provider}")
    return ProviderRequest(
        operation=slot.operation,
        photo=order.photo,
        references=tuple(
            Reference(template.media_kind, open_template(record, template))
            for template in admission.templates
        ),
        settings=recipe,
        api_key=api_key,
        budget_s=order.wait_s,
    )


def open_template(record: Record, template: SlotTemplateMedia) -> Photo:
    """A template picture as an open file; the record closes it with the job."""
    stored = template.media_object
    try:
        file = record.files.enter_context(default_storage.open(stored.path))
    except OSError as exc:
        raise StorageError(f"template {stored.pk} is not on disk") from exc
    width, height, orientation = read_header(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    return Photo(
        file=file,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        mime=stored.mime,
        width=width,
        height=height,
        orientation=orientation,
    )


async def call_provider(
    record: Record, request: ProviderRequest[Any], *, until: float
) -> ResultPicture:
    """A checked picture from the provider, or ProviderError; ProviderTimeout at ``until``."""
    try:
        async with asyncio.timeout_at(until):
            return await attempt(record, request, until=until)
    except TimeoutError as exc:
        raise ProviderTimeout("the deadline passed while the provider worked") from exc


async def attempt(record: Record, request: ProviderRequest[Any], *, until: float) -> ResultPicture:
    """One call, and its row in the record whatever comes of it."""
    loop = asyncio.get_running_loop()
    begun, trace = loop.time(), CallTrace()
    row = Attempt(
        job=record.job,
        number=len(record.attempts) + 1,
        provider=record.job.provider,
        started_at=timezone.now(),
    )
    record.attempts.append(row)
    try:
        picture = await DRIVERS[record.job.provider].process(
            replace(request, budget_s=until - begun, trace=trace)
        )
        row.duration_ms = milliseconds(loop.time() - begun)
        return await asyncio.to_thread(check_result, picture, request.settings)
    except BaseException as exc:
        row.failure_reason = _reason(exc, is_late=loop.time() >= until)
        raise
    finally:
        row.duration_ms = row.duration_ms or milliseconds(loop.time() - begun)
        row.model, row.http_status = trace.model, trace.http_status
        row.finish_reason, row.usage = trace.finish_reason, trace.usage
        row.provider_request_id = trace.provider_request_id


def _reason(exc: BaseException, *, is_late: bool) -> str:
    if isinstance(exc, AppError):
        return exc.reason
    if isinstance(exc, asyncio.CancelledError):
        return ProviderTimeout.reason if is_late else ClientGone.reason
    return InternalError.reason


# --- Replay --------------------------------------------------------------------------------------
async def replay(job: Job, order: Order) -> Outcome:
    """The picture of an equal photo's job; waits for it within this order's own deadline.

    A job that failed fails this order alike (it is one order, sent twice). But when nobody waited
    for that job any more, this one takes its place.
    """
    job = await _when_closed(job, order)
    status, reason = job.outcome
    if reason in (ClientGone.reason, Interrupted.reason):
        return await process_photo(order)
    if status != Job.Status.DONE:
        error = ERROR_BY_REASON.get(reason, InternalError)(f"as the equal photo's job {job.pk}")
        error.job_id = str(job.pk)
        raise error
    return Outcome(job=job, picture=await asyncio.to_thread(_stored, job), is_replay=True)


async def _when_closed(job: Job, order: Order) -> Job:
    pause = POLL_FIRST_S
    try:
        async with asyncio.timeout_at(before_deadline(order)):
            while job.outcome[0] == Job.Status.PROCESSING:
                await asyncio.sleep(pause)
                pause = min(POLL_MAX_S, pause * 1.5)
                job = await in_db(Job.objects.get, pk=job.pk)
    except TimeoutError as exc:
        late = ProviderTimeout("an equal photo is still being worked on")
        late.job_id = str(job.pk)
        raise late from exc
    return job


def _stored(job: Job) -> Picture:
    with contextlib.closing(default_storage.open(job.result_path)) as file:
        return Picture(body=file.read(), mime=job.result_mime)
