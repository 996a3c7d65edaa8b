"""The path of one photo. Read ``process_photo`` first."""

import asyncio
from dataclasses import dataclass

import structlog
from django.db import DatabaseError
from PIL import Image
from structlog.contextvars import bind_contextvars

from ingest.models import Job
from ingest.pipeline.admission import Admission, admit
from ingest.pipeline.outcome import Record, close_failed, recorded
from ingest.pipeline.provider_call import build_request, call_provider
from ingest.pipeline.receive import Order
from ingest.pipeline.replay import replay
from media.previews import record_preview, write_preview
from media.services import ResultPicture
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import AppError, ClientGone
from providers.pictures import Picture

log = structlog.get_logger()

STORE_RESERVE_S = 0.5  # kept of the deadline for checking, storing and closing


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
    admission = await admitted(order)  # one transaction: limits, duplicates, row
    job = admission.job
    if admission.is_replay:
        if picture := await replay(job, until=before_deadline(order)):
            metrics.photo_replayed(slot=job.slot_id)
            return Outcome(job=job, picture=picture, is_replay=True)
        return await process_photo(order)
    bind_contextvars(job=str(job.pk), slot=job.slot_id)
    log.info("ingest.job.opened", job=str(job.pk), slot=job.slot_id, source=job.source)
    metrics.photo_opened(is_from_booth=not order.is_test, recipe=order.hash_recipe)
    async with recorded(job, keep_for=order.keep_for) as record:
        request = await asyncio.to_thread(build_request, record, admission, order)
        # No database connection is held while we wait here.
        record.result = await call_provider(record, request, until=before_deadline(order))
        # It is on disk now; the row is written when this block ends. File first, row second: a
        # row never points at a file that is not there.
    return Outcome(job=job, picture=picture_of(record.result), image=record.result.image)


async def admitted(order: Order) -> Admission:
    """A place for the photo; given back when the booth hangs up at this very moment."""
    admitting = asyncio.ensure_future(in_db(admit, order))
    try:
        return await asyncio.shield(admitting)
    except asyncio.CancelledError:
        admission = await admitting
        if not admission.is_replay:
            record = Record(admission.job, order.keep_for)
            await in_db(close_failed, record, ClientGone("the booth hung up on its way in"))
        raise


def before_deadline(order: Order) -> float:
    return order.deadline_at - STORE_RESERVE_S


def picture_of(result: ResultPicture) -> Picture:
    return Picture(body=result.body, mime=result.mime)


async def keep_preview(job: Job, image: Image.Image) -> None:
    """Make the gallery's small picture, when the booth has its answer already.

    A failure costs nothing: a missing preview is made when somebody asks for it.
    """
    try:
        stored = await asyncio.to_thread(write_preview, job.slot_id, job.pk, image)
        await in_db(record_preview, job.slot_id, job.pk, stored, expires_at=job.result_expires_at)
    except (AppError, DatabaseError) as exc:
        log.warning("media.preview.failed", job=str(job.pk), detail=str(exc))
