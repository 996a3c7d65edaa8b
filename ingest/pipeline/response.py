"""How a finished photo is answered over HTTP."""

import asyncio
from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse

from ingest.models import Job
from ingest.pipeline.outcome import falls_back
from ingest.pipeline.process import Outcome, keep_preview, process_photo
from ingest.pipeline.receive import Order
from ingest.pipeline.tasks import to_the_end
from media.links import absolute
from photochanger import metrics
from photochanger.errors import AppError
from providers.pictures import EXTENSIONS, Picture


async def answer(request: HttpRequest, order: Order) -> StreamingHttpResponse:
    """The new picture; or, where the slot says so, the booth's own photo instead of a failure.

    Raises AppError.
    """
    try:
        return picture_answer(request, await process_photo(order))
    except AppError as exc:
        if exc.job_id is None or not falls_back(order.slot, order.source, exc):
            raise
        return await original_answer(order, exc.job_id)


async def original_answer(order: Order, job_id: str) -> StreamingHttpResponse:
    """The guest gets a print all the same; the job counts as failed."""

    def read() -> bytes:
        order.photo.file.seek(0)
        return order.photo.file.read()

    photo = Picture(body=await asyncio.to_thread(read), mime=order.photo.mime)
    metrics.fell_back(slot=order.slot.pk)
    headers = {**shared_headers(photo, f"{order.slot.pk}-original"), "X-Job-Id": job_id}
    headers["X-PhotoChanger-Fallback"] = "original"
    return StreamingHttpResponse(once(photo.body), content_type=photo.mime, headers=headers)


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def shared_headers(picture: Picture, name: str) -> dict[str, str]:
    return {
        "Content-Length": str(len(picture.body)),
        "Content-Disposition": f'inline; filename="{name}.{EXTENSIONS[picture.mime]}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def picture_answer(request: HttpRequest, outcome: Outcome) -> StreamingHttpResponse:
    """The picture itself, whole and uncompressed, with the headers a booth's operator looks for."""
    picture, job = outcome.picture, outcome.job
    headers = {
        **shared_headers(picture, f"{job.slot_id}-{job.pk}"),
        "X-Job-Id": str(job.pk),
        "X-Result-Url": result_url(request, job),
    }
    if outcome.is_replay:
        headers["X-PhotoChanger-Replay"] = "1"
    return StreamingHttpResponse(sent(outcome), content_type=picture.mime, headers=headers)


async def sent(outcome: Outcome) -> AsyncIterator[bytes]:
    """The picture, and what is left to do once the booth has it.

    A stream, since nobody holds its body when it is sent: Django's ASGI handler leaves one
    reference cycle per request, which would keep a plain response's 2 MB until a full garbage
    collection. Content-Length tells the booth that the picture is complete; the preview is made
    before the stream ends, so that a server that stops waits for it.
    """
    yield outcome.picture.body
    if outcome.image is not None:
        await to_the_end(keep_preview(outcome.job, outcome.image))


def result_url(request: HttpRequest, job: Job) -> str:
    """The guest's link."""
    return absolute(request, "api:public_result", job_id=job.pk)
