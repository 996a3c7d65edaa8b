"""The path of one photo: HTTP to HTTP, and job to result. Read this file first."""

from contextlib import AsyncExitStack
from functools import partial

import structlog
from django.http import HttpRequest, HttpResponseBase
from structlog.contextvars import bind_contextvars

from ingest.models import Job
from ingest.pipeline.admission import Admission, admit_photo, find_equal_job, take_turn_of_equals
from ingest.pipeline.face_repeat import mend_faces
from ingest.pipeline.order import Booth, Deadline, Order
from ingest.pipeline.outcome import PhotoResult, falls_back, job_outcome
from ingest.pipeline.provider_call import call_provider, prepare_request
from ingest.pipeline.receive import (
    accept_request,
    authenticate_booth,
    inspect_photo,
    prepare_order,
    read_idempotency_key,
    read_sent_texts,
    receive_form,
)
from ingest.pipeline.replay import replay_result
from ingest.pipeline.response import make_original_response, make_picture_response
from ingest.pipeline.sources import call_sources
from ingest.pipeline.template_pictures import open_template_pictures
from ingest.refusals.recording import note_job, note_order, note_refusal, note_unknown_host
from media.links import find_link_base, find_phone_base
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import AppError
from slots.models import Slot

log = structlog.get_logger()

STORE_RESERVE_S = 0.5  # kept of the deadline for checking, storing and closing


async def handle_booth_photo(request: HttpRequest, slot_id: str) -> HttpResponseBase:
    """Take a booth's photo from its POST to the picture in the answer, cheap refusals first.

    Raises AppError.
    """
    slot, platform, password_hash = await accept_request(request, slot_id)  # 404, 413: no body yet
    link_base = find_link_base(request)  # all that needs the request is settled before it costs
    deadline = Deadline.of(request, slot.wait_s(platform.sync_response_seconds))
    async with receive_form(request, slot, deadline) as form:  # 400, 413
        await authenticate_booth(request, form, password_hash)  # 401, 429
        photo = await inspect_photo(request, form, platform)  # 400, 415
        order = Order(
            slot=slot,
            platform=platform,
            photo=photo,
            deadline=deadline,
            received_at=form.received_at,
            booth=Booth.of(form.fields),
            sent_texts=read_sent_texts(request, form),
            hash_recipe=form.hash_recipe,
            idempotency_key=read_idempotency_key(request),
            phone_base=find_phone_base(request) if slot.frame_qr else "",
            note_job=partial(note_job, request),
        )
        note_order(request, slot.pk, form.fields)
        if not link_base:
            note_unknown_host(request)
        try:
            return make_picture_response(await process_photo(order), link_base)
        except AppError as exc:
            if not falls_back(order, exc):
                raise
            if exc.job_id is None:  # a budget that is spent: nothing else tells of this photo
                note_refusal(request, exc)
            return await make_original_response(order, exc)


async def process_photo(order: Order) -> PhotoResult:
    """Take one checked photo to a stored result; booth and test run share this path.

    Waits for the provider until the order's deadline. Raises only AppError; once a job is open,
    its row tells the same reason.
    """
    deadline = order.deadline.shorten(STORE_RESERVE_S)
    async with AsyncExitStack() as files:
        while True:
            async with take_turn_of_equals(order):  # one is decoded, the others find its job
                order, admission = await find_place(order, files)
            if not admission.is_replay:
                return await run_job(order, admission, deadline)
            if result := await replay_result(admission.job, deadline):
                return result
            # That job was given up: this order takes its place.


async def find_place(order: Order, files: AsyncExitStack) -> tuple[Order, Admission]:
    """An open job, or that of an equal photo; with the photo prepared, if need be, in ``files``."""
    equal = await in_db(find_equal_job, order)  # 429, 409; before decoding costs anything
    if equal:
        return order, Admission(job=equal, is_replay=True)
    if order.outgoing is None:
        order = await files.enter_async_context(prepare_order(order))  # 400: every pixel is there
    return order, await admit_photo(order)  # one transaction: limits, duplicates, row


async def run_job(order: Order, admission: Admission, deadline: Deadline) -> PhotoResult:
    """From an open job to its result; its row tells how it ended. Raises AppError."""
    job = admission.job
    bind_contextvars(job=str(job.pk), slot=job.slot_id)
    log.info("ingest.job.opened", job=str(job.pk), slot=job.slot_id, source=job.source)
    metrics.count_photo_opened(
        is_from_booth=job.source == Job.Source.INGEST, recipe=order.hash_recipe
    )
    async with job_outcome(
        job, order, prices=admission.prices
    ) as run:  # closes the row, whatever happens
        if admission.templates:  # most slots have none, and most photos need no thread for them
            await open_template_pictures(run, admission.templates, deadline)
        if admission.sources:  # of a slot with reserves, which are asked where it fails
            run.result, build = await call_sources(run, admission, deadline)
        else:
            build = await prepare_request(run, admission)
            # No database connection is held while we wait here.
            run.result = await call_provider(run, build, deadline)
        await mend_faces(run, build, deadline)  # asks once more, where a slot wants that
        # It is on disk now; the row is written when this block ends. File first, row second: a
        # row never points at a file that is not there.
    return PhotoResult(
        job=job,
        picture=run.result,
        image=run.result.image,
        face_image=run.result.face_image,
        closing=run.closing,
        face_search=run.face_search,
        is_sorted=order.slot.publishing == Slot.Publishing.SORTED,
    )
