"""The HTTP answer to a photo, and what is left to do once the booth has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import structlog
from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from PIL import Image

from ingest.beside import run_beside
from ingest.faces.measure import measure_now
from ingest.models import Job
from ingest.pipeline.closing import to_milliseconds
from ingest.pipeline.order import Order
from ingest.pipeline.outcome import PhotoResult
from ingest.pipeline.photo_print import print_original
from ingest.sorting import sort_result
from media import storage
from media.faces.decoding import shrink_for_detection
from media.links import build_url_of_path
from media.previews import StoredPreview, build_preview_path, record_preview, write_preview
from media.sorter.rule import shrink_for_sorting
from photochanger import metrics
from photochanger.db import in_db
from photochanger.errors import AppError, StorageError
from photochanger.pictures import EXTENSIONS, Picture
from photochanger.tasks import run_to_completion

log = structlog.get_logger()


def make_picture_response(result: PhotoResult, link_base: str) -> StreamingHttpResponse:
    """The picture itself, whole and uncompressed, with the headers a booth's operator looks for.

    ``link_base`` is what the guest's link begins with; empty: there is no link.
    """
    picture, job = result.picture, result.job
    headers = {
        **_make_headers(picture, f"{job.slot_id}-{job.pk}"),
        "X-Job-Id": str(job.pk),
    }
    if link_base:
        headers["X-Result-Url"] = link_base + build_result_link_path(job)
    if result.is_replay:
        headers["X-PhotoChanger-Replay"] = "1"
    return StreamingHttpResponse(stream_result(result), content_type=picture.mime, headers=headers)


async def make_original_response(order: Order, error: AppError) -> StreamingHttpResponse:
    """The booth's own photo, upright and as booths print it: the guest gets a print all the same;
    the job counts as failed."""
    photo = await print_original(order)
    metrics.count_fallback(slot=order.slot.pk)
    headers = {
        **_make_headers(photo, f"{order.slot.pk}-original"),
        **({"X-Job-Id": str(error.job_id)} if error.job_id else {}),
        "X-PhotoChanger-Fallback": "original",
    }
    return StreamingHttpResponse(stream_bytes(photo.body), content_type=photo.mime, headers=headers)


def _make_headers(picture: Picture, name: str) -> dict[str, str]:
    return {
        "Content-Length": str(len(picture.body)),
        "Content-Disposition": f'inline; filename="{name}.{EXTENSIONS[picture.mime]}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


async def stream_result(result: PhotoResult) -> AsyncIterator[bytes]:
    """The picture, and what is left to do once the booth has it.

    A stream, since nobody holds its body when it is sent: Django's ASGI handler leaves one
    reference cycle per request, which would keep a plain response's 2 MB until a full garbage
    collection. Content-Length tells the booth that the picture is complete; the preview is made
    before the stream ends, so that a server that stops waits for it.
    """
    began = asyncio.get_running_loop().time()
    yield result.picture.body
    yield b""  # taken only when the picture has left our own buffers
    answer_ms = to_milliseconds(asyncio.get_running_loop().time() - began)
    await run_to_completion(_finish(result, answer_ms))


async def _finish(result: PhotoResult, answer_ms: int) -> None:
    if result.closing is not None:
        await result.closing
    if result.is_replay:
        return
    if result.job.source == Job.Source.INGEST:
        metrics.count_photo_steps({"answer": answer_ms})
    has_file = result.image is not None and result.job.result_expires_at is not None
    await store_preview(result.job, result.image if has_file else None, answer_ms=answer_ms)
    try:
        await _begin_face_work(result, has_file=has_file)
    except Exception as exc:  # of Pillow: the booth's answer is out, and must end well
        log.warning("ingest.face_search.failed", job=str(result.job.pk), detail=type(exc).__name__)


async def _begin_face_work(result: PhotoResult, *, has_file: bool) -> None:
    """Small copies wait for their turn, whose picture is let go."""
    job, search = result.job, result.face_search
    if search is not None and result.face_image is not None:
        small = await asyncio.to_thread(shrink_for_detection, result.face_image)
        run_beside(partial(measure_now, job, search, small))
    if result.is_sorted and has_file and result.image is not None:
        small = await asyncio.to_thread(shrink_for_sorting, result.image)
        run_beside(partial(sort_result, job.pk, small))


async def stream_bytes(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def store_preview(
    job: Job, image: Image.Image | None, *, answer_ms: int | None = None
) -> None:
    """Make the gallery's small picture, when the booth has its answer already, and note how long
    the booth took to fetch that.

    A failure costs nothing: a missing preview is made when somebody asks for it.
    """
    stored = None
    try:
        if image is not None:
            stored = await storage.in_threads(write_preview, job.slot_id, job.pk, image)
    except Exception as exc:  # the booth's answer is out, and must end well
        log.warning("media.preview.failed", job=str(job.pk), detail=f"{type(exc).__name__}: {exc}")
    try:
        await in_db(_record_end, job, stored, answer_ms)
    except Exception as exc:  # as above
        log.warning("ingest.end.not_recorded", job=str(job.pk), detail=type(exc).__name__)
        if stored is not None:
            with suppress(StorageError, OSError):  # cleanup finds it within the hour
                await storage.in_threads(storage.remove, build_preview_path(job.slot_id, job.pk))


@transaction.atomic
def _record_end(job: Job, preview: StoredPreview | None, answer_ms: int | None) -> None:
    if answer_ms is not None:
        steps_ms = {**(job.steps_ms or {}), "answer": answer_ms}
        Job.objects.filter(pk=job.pk).update(steps_ms=steps_ms)
    if preview is not None:
        record_preview(job.slot_id, job.pk, preview, expires_at=job.result_expires_at)


def result_url(request: HttpRequest, job: Job) -> str:
    """The guest's link."""
    return build_url_of_path(request, build_result_link_path(job))


def build_result_link_path(job: Job) -> str:
    return reverse("api:public_result", kwargs={"job_id": job.pk})
