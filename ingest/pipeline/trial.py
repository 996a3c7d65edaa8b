"""A test run: an administrator's photo on the booth's own path, with the form as it stands.

Nothing of the form is saved, and nothing but the password is spared.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from ingest.faces.measure import measure_now
from ingest.models import Job
from ingest.pipeline.order import Deadline, Order
from ingest.pipeline.outcome import PhotoResult
from ingest.pipeline.process import process_photo
from ingest.pipeline.receive import open_photo
from ingest.pipeline.response import store_preview
from ingest.pipeline.upload import FILE_FIELDS, FormParser, read_form
from ingest.pipeline.uploaded_form import UploadedForm
from ingest.schemas import AttemptOut
from ingest.trials.records import keep_trial
from media import storage
from media.links import find_phone_base
from media.models import MediaObject
from media.uploads import find_upload
from photochanger.db import in_db
from photochanger.errors import (
    AppError,
    InvalidFields,
    MediaNotFound,
    PayloadTooLarge,
)
from photochanger.pictures import Photo
from photochanger.request_scope import get_streamed_body
from slots.editing import Draft, build_draft
from slots.platform_settings import PlatformSettings, load_platform_settings
from slots.schemas import SlotIn
from slots.services import find_slot
from slots.validation_messages import messages_by_field

log = structlog.get_logger()

PHOTO_FIELDS = ("test_image", *FILE_FIELDS)
MAX_PAYLOAD_BYTES = 48 * 1024  # a form with a prompt of 4000 letters in any alphabet
UPLOAD_S = 60.0
MB = 1024 * 1024


@asynccontextmanager
async def receive_trial(request: HttpRequest, slot_id: str) -> AsyncIterator[Order]:
    """The order of a test run, checked like a booth's; its file lives in this block.

    Raises SlotNotFound before the body is read; what ``read_form`` raises; InvalidFields for
    a form that could not be saved either; PayloadTooLarge, UnsupportedMediaType, InvalidImage.
    """
    await in_db(find_slot, slot_id)
    deadline = Deadline.of(request, UPLOAD_S)
    if body := get_streamed_body(request):
        body.check_declared()
    parser = FormParser.of(
        request,
        max_file_bytes=settings.MAX_UPLOAD_MB * MB,
        file_fields=PHOTO_FIELDS,
        max_field_bytes=MAX_PAYLOAD_BYTES,
    )
    with ExitStack() as files:
        async with read_form(request, parser, deadline) as form:
            form_draft = await in_db(build_draft, slot_id, parse_overrides(form))
            platform = await in_db(load_platform_settings)
            photo = await _receive_photo(form, slot_id, files)
            yield make_trial_order(
                form_draft,
                platform,
                photo,
                arrived_at=deadline.arrived_at,
                received_at=form.received_at,
                phone_base=find_phone_base(request),
            )


def make_trial_order(
    form: Draft,
    platform: PlatformSettings,
    photo: Photo,
    *,
    arrived_at: float,
    received_at: float = 0.0,
    phone_base: str = "",
) -> Order:
    """The order of a slot that nobody has saved. Raises PayloadTooLarge."""
    if photo.size_bytes > form.slot.size_limit_bytes:
        raise PayloadTooLarge(f"photo larger than {form.slot.size_limit_mb} MB")
    return Order.for_trial(
        form.slot,
        form.templates,
        platform=platform,
        photo=photo,
        arrived_at=arrived_at,
        received_at=received_at,
        phone_base=phone_base,
    )


def parse_overrides(form: UploadedForm) -> SlotIn:
    """What the unsaved form says. Raises InvalidFields."""
    payload = form.fields.get("slot_payload", "").strip() or "{}"
    try:
        return SlotIn.model_validate(orjson.loads(payload))
    except orjson.JSONDecodeError as exc:
        raise InvalidFields({"slot_payload": _("This is not JSON.")}) from exc
    except ValidationError as exc:
        found = messages_by_field(exc.errors(include_url=False, include_input=False))
        raise InvalidFields({name or "slot_payload": say for name, say in found.items()}) from exc


async def _receive_photo(form: UploadedForm, slot_id: str, files: ExitStack) -> Photo:
    """The photo that came with the form, or one that was registered before."""
    if form.file is not None:
        return await asyncio.to_thread(open_photo, form)
    media_id = form.fields.get("media_object_id", "").strip()
    if not media_id:
        raise InvalidFields({"test_image": _("Choose a photo for the test.")})
    words = _("This test photo is no longer there. Upload it again.")
    try:
        media = await in_db(find_upload, MediaObject.Kind.TEST_PHOTO, media_id)
        if media.slot_id != slot_id:
            raise MediaNotFound("of another slot")
        file = files.enter_context(await storage.in_threads(storage.open_file, media.path))
        return await asyncio.to_thread(
            Photo.open, file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS
        )
    except (MediaNotFound, FileNotFoundError) as exc:
        raise InvalidFields({"media_object_id": words}) from exc


FACES = ("people_in", "people_out", "faces", "likeness")
COSTS = ("cost_micros", "probable_micros", "unpriced_calls")


class TrialFailed(AppError):
    """A photo's failure, as it is for a booth, with the facts of its job."""

    def __init__(self, error: AppError, facts: dict[str, Any]) -> None:
        super().__init__(str(error), retry_after_s=error.retry_after_s, job_id=error.job_id)
        self.status, self.reason, self.sentence = error.status, error.reason, error.sentence
        self.error, self.facts = error, facts

    @property
    def headers(self) -> dict[str, str]:
        return self.error.headers

    def to_json(self, language: str) -> dict[str, object]:
        return self.error.to_json(language) | self.facts


async def _keep(order: Order, job_id: uuid.UUID) -> None:
    """For the comparison with others. Never raises: the outcome itself does not depend on it."""
    try:
        await in_db(keep_trial, order.slot, job_id, lifetime=order.result_lifetime)
    except AnyDatabaseError:
        log.exception("ingest.trial.not_kept", job=str(job_id))


async def run_trial(order: Order) -> tuple[PhotoResult, dict[str, Any]]:
    """Run it; the result, its preview made already, and the facts of its row.

    Raises TrialFailed with the same facts for a failure whose job was opened.
    """
    try:
        result = await process_photo(order)
    except AppError as exc:
        if exc.job_id:
            await _keep(order, uuid.UUID(exc.job_id))
            facts = await in_db(load_job_facts, uuid.UUID(exc.job_id))
            raise TrialFailed(exc, facts) from exc
        raise
    await complete_result(result)
    await _keep(order, result.job.pk)
    return result, await in_db(load_job_facts, result.job.pk)


async def complete_result(result: PhotoResult) -> None:
    """What a booth does not wait for: the preview, and the comparison of people. Never raises."""
    if result.image is not None:
        await store_preview(result.job, result.image)
        if result.face_search is not None and result.face_image is not None:
            await measure_now(result.job, result.face_search, result.face_image)


def load_job_facts(job_id: uuid.UUID) -> dict[str, Any]:
    """Milliseconds and calls of a job, ready for JSON. Two queries."""
    job = Job.objects.prefetch_related("attempts").get(pk=job_id)
    took, theirs = job.duration_ms, job.provider_ms
    return {
        "duration_ms": took,
        "provider_ms": theirs,
        "overhead_ms": None if took is None else took - (theirs or 0),
        **{name: getattr(job, name) for name in (*FACES, *COSTS)},
        "attempts": [
            AttemptOut.model_validate(attempt, from_attributes=True).model_dump(mode="json")
            for attempt in job.attempts.all()
        ],
    }
