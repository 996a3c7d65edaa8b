"""A test run: an administrator's photo on the booth's own path, with the form as it stands.

Nothing of the form is saved, and nothing but the password is spared.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from ingest.models import Job
from ingest.pipeline.process import Outcome, keep_preview, process_photo
from ingest.pipeline.receive import Order, arrival, photo_of, started_at
from ingest.pipeline.upload import BODY_KEY, FILE_FIELDS, UploadedForm, received_form
from ingest.schemas import AttemptOut
from media import storage
from media.models import MediaObject
from media.uploads import find_upload
from photochanger.db import in_db
from photochanger.errors import (
    AppError,
    InvalidFields,
    InvalidImage,
    MediaNotFound,
    PayloadTooLarge,
)
from providers.pictures import Photo, UnreadablePicture
from slots.editing import Draft, draft
from slots.schemas import SlotIn
from slots.services import PlatformSettings, find_slot, platform_settings
from slots.uploads import opened_photo
from slots.validation_messages import fields_of

PHOTO_FIELDS = ("test_image", *FILE_FIELDS)
MAX_PAYLOAD_BYTES = 48 * 1024  # a form with a prompt of 4000 letters in any alphabet
UPLOAD_S = 60.0
MB = 1024 * 1024


@asynccontextmanager
async def received_test(request: HttpRequest, slot_id: str) -> AsyncIterator[Order]:
    """The order of a test run, checked like a booth's; its file lives in this block.

    Raises SlotNotFound before the body is read; what ``received_form`` raises; InvalidFields for
    a form that could not be saved either; PayloadTooLarge, UnsupportedMediaType, InvalidImage.
    """
    await in_db(find_slot, slot_id)
    arrived_at = arrival(request)
    if body := getattr(request, "scope", {}).get(BODY_KEY):
        body.check_declared()
    with ExitStack() as files:
        async with received_form(
            request,
            max_file_bytes=settings.MAX_UPLOAD_MB * MB,
            until=arrived_at + UPLOAD_S,
            file_fields=PHOTO_FIELDS,
            max_field_bytes=MAX_PAYLOAD_BYTES,
        ) as form:
            form_draft = await in_db(draft, slot_id, overrides(form))
            platform = await in_db(platform_settings)
            photo = await _photo(form, slot_id, files)
            yield trial(form_draft, platform, photo, arrived_at)


def trial(form: Draft, platform: PlatformSettings, photo: Photo, arrived_at: float) -> Order:
    """The order of a slot that nobody has saved. Raises PayloadTooLarge."""
    slot = form.slot
    if photo.size_bytes > slot.size_limit_mb * MB:
        raise PayloadTooLarge(f"photo larger than {slot.size_limit_mb} MB")
    wait_s = slot.sync_response_seconds or platform.sync_response_seconds
    return Order(
        slot=slot,
        platform=platform,
        photo=photo,
        source=Job.Source.UI_TEST,
        started_at=started_at(arrived_at),
        wait_s=wait_s,
        deadline_at=arrived_at + wait_s,
        draft_templates=form.templates,
    )


def overrides(form: UploadedForm) -> SlotIn:
    """What the unsaved form says. Raises InvalidFields."""
    payload = form.fields.get("slot_payload", "").strip() or "{}"
    try:
        return SlotIn.model_validate(orjson.loads(payload))
    except orjson.JSONDecodeError as exc:
        raise InvalidFields({"slot_payload": _("This is not JSON.")}) from exc
    except ValidationError as exc:
        found = fields_of(exc.errors(include_url=False, include_input=False))
        raise InvalidFields({name or "slot_payload": say for name, say in found.items()}) from exc


async def _photo(form: UploadedForm, slot_id: str, files: ExitStack) -> Photo:
    """The photo that came with the form, or one that was registered before."""
    if form.file is not None:
        return await asyncio.to_thread(photo_of, form)
    media_id = form.fields.get("media_object_id", "").strip()
    if not media_id:
        raise InvalidFields({"test_image": _("Choose a photo for the test.")})
    words = _("This test photo is no longer there. Upload it again.")
    try:
        media = await in_db(find_upload, MediaObject.Kind.TEST_PHOTO, media_id)
        if media.slot_id != slot_id:
            raise MediaNotFound("of another slot")
        file = files.enter_context(await asyncio.to_thread(storage.open_file, media.path))
        return await asyncio.to_thread(opened_photo, file, media.mime)
    except (MediaNotFound, FileNotFoundError) as exc:
        raise InvalidFields({"media_object_id": words}) from exc
    except UnreadablePicture as exc:
        raise InvalidImage(str(exc)) from exc


async def tried(order: Order) -> tuple[Outcome, dict[str, Any]]:
    """Run it; the outcome, its preview made already, and what the row tells of it.

    What is raised carries the same in its ``more``.
    """
    try:
        outcome = await process_photo(order)
    except AppError as exc:
        if exc.job_id:
            exc.more |= await in_db(facts, uuid.UUID(exc.job_id))
        raise
    if outcome.image is not None:
        await keep_preview(outcome.job, outcome.image)
    return outcome, await in_db(facts, outcome.job.pk)


def facts(job_id: uuid.UUID) -> dict[str, Any]:
    """Milliseconds and calls of a job, ready for JSON. Two queries."""
    job = Job.objects.prefetch_related("attempts").get(pk=job_id)
    took, theirs = job.duration_ms, job.provider_ms
    return {
        "duration_ms": took,
        "provider_ms": theirs,
        "overhead_ms": None if took is None else took - (theirs or 0),
        "attempts": [
            AttemptOut.model_validate(attempt, from_attributes=True).model_dump(mode="json")
            for attempt in job.attempts.all()
        ],
    }
