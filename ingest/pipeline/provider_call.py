"""Calling the provider for one job: what it is told, how long it may take, what it did."""

import asyncio
from dataclasses import replace
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone
from pydantic import ValidationError

from ingest.models import Attempt
from ingest.pipeline.admission import Admission
from ingest.pipeline.input_links import publisher
from ingest.pipeline.outcome import Record, milliseconds
from ingest.pipeline.receive import Order
from ingest.pipeline.result_check import check_result
from ingest.pipeline.retry_policy import pause_before_retry, typical_call_s
from ingest.pipeline.tasks import both, to_the_end
from media import storage
from media.services import ResultPicture, result_path
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import (
    AppError,
    ClientGone,
    InternalError,
    ProviderConfig,
    ProviderError,
    ProviderTimeout,
    StorageError,
)
from providers.base import CallTrace, DriverSettings, ProviderRequest, Reference
from providers.pictures import EXTENSIONS, Photo, Picture, UnreadablePicture, read_header
from providers.registry import DRIVERS
from slots.models import SlotTemplateMedia
from slots.services import provider_key

log = structlog.get_logger()


def build_request(record: Record, admission: Admission, order: Order) -> ProviderRequest[Any]:
    """What the driver may know of the job. Blocking (opens template files).

    Raises ProviderConfig for a slot that cannot work.
    """
    slot = admission.job.slot
    try:
        recipe = slot.recipe()
    except (ValidationError, KeyError) as exc:
        raise ProviderConfig(f"the slot's settings are not valid: {exc}"[:500]) from exc
    api_key = provider_key(slot.provider, admission.stored_key)
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
        publish=publisher(record),
    )


def open_template(record: Record, template: SlotTemplateMedia) -> Photo:
    """A template picture as an open file; the record closes it with the job.

    Raises StorageError when it is gone, ProviderConfig when it is no picture.
    """
    stored = template.media_object
    try:
        file = record.files.enter_context(storage.open_file(stored.path))
    except FileNotFoundError as exc:
        raise StorageError(f"template {stored.pk} is not in storage") from exc
    try:
        width, height, orientation = read_header(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS)
    except UnreadablePicture as exc:
        raise ProviderConfig(f"template {stored.pk} cannot be read: {exc}") from exc
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
    """A checked and stored picture; ProviderTimeout at ``until`` (the event loop's time).

    Calls again where ``ingest.pipeline.retry_policy`` says so. Raises ProviderError, StorageError.
    """
    try:
        async with asyncio.timeout_at(until):
            return await attempts(record, request, until=until)
    except TimeoutError as exc:
        raise ProviderTimeout("the deadline passed while the provider worked") from exc


async def attempts(record: Record, request: ProviderRequest[Any], *, until: float) -> ResultPicture:
    """One call after the other, until one works or the rule says that it is enough."""
    while True:
        try:
            return await attempt(record, request, until=until)
        except ProviderError as exc:
            pause = await pause_after(exc, record, until=until)
            if pause is None:
                raise
        await asyncio.sleep(pause)


async def pause_after(error: ProviderError, record: Record, *, until: float) -> float | None:
    """Seconds until the next call, or None when this failure is the outcome."""
    if not error.retryable:
        return None
    job = record.job
    typical_s = await in_db(typical_call_s, job.slot_id, job.provider)
    pause = pause_before_retry(
        error,
        calls_made=len(record.attempts),
        left_s=until - asyncio.get_running_loop().time(),
        typical_s=typical_s,
    )
    if pause is not None:
        log.info("provider.call.repeated", job=str(job.pk), reason=error.reason, pause_s=pause)
    return pause


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
            replace(request, budget_s=until - begun, call_number=row.number, trace=trace)
        )
        row.duration_ms = milliseconds(loop.time() - begun)
        return await check_and_store(record, picture, request.settings)
    except BaseException as exc:
        row.failure_reason = _reason(exc, is_late=loop.time() >= until)
        row.detail = str(exc)[:500] if isinstance(exc, AppError) else ""
        raise
    finally:
        row.duration_ms = row.duration_ms or milliseconds(loop.time() - begun)
        row.model, row.http_status = trace.model, trace.http_status
        row.finish_reason, row.usage = trace.finish_reason, trace.usage
        row.provider_request_id = trace.provider_request_id
        log.info(
            "provider.call.finished",
            job=str(record.job.pk),
            provider=row.provider,
            http_status=row.http_status,
            reason=row.failure_reason,
            duration_ms=row.duration_ms,
        )
        metrics.provider_called(
            provider=row.provider, reason=row.failure_reason, duration_ms=row.duration_ms
        )


async def check_and_store(record: Record, picture: Picture, rules: DriverSettings) -> ResultPicture:
    """The picture, through the gate and on disk. Raises BadResponse, StorageError."""
    checking = asyncio.to_thread(check_result, picture, rules)
    if rules.may_change_picture:
        result = await checking
        await to_the_end(asyncio.to_thread(store, record, result.mime, result.body))
        return result
    # Side by side: one takes a processor, the other waits for the disk. The mime of the bytes is
    # known; a picture that fails the gate is taken away again with the job or by the next attempt.
    writing = asyncio.to_thread(store, record, picture.mime, picture.body)
    result, _ = await to_the_end(both(checking, writing))
    return result


def store(record: Record, mime: str, body: bytes) -> None:
    """Put the job's one result on disk. Blocking. Raises StorageError."""
    if record.stored_path:
        storage.remove(record.stored_path)
    record.stored_path = result_path(record.job.slot_id, record.job.pk, EXTENSIONS[mime])
    storage.write(record.stored_path, body)


def _reason(exc: BaseException, *, is_late: bool) -> str:
    if isinstance(exc, AppError):
        return exc.reason
    if isinstance(exc, asyncio.CancelledError):
        return ProviderTimeout.reason if is_late else ClientGone.reason
    return InternalError.reason
