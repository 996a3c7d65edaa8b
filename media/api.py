import uuid
from collections.abc import AsyncIterator
from typing import IO

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Router

from media.models import MediaObject
from media.provider_inputs import open_input
from media.services import find_result
from photochanger.db import in_db
from photochanger.errors import described

public_router = Router(tags=["public"])

CHUNK_BYTES = 256 * 1024
PICTURE = {
    "description": "The picture as a file to download; the type is that of the content.",
    "headers": {
        "Content-Disposition": {
            "description": "`attachment`, with a file name.",
            "schema": {"type": "string"},
        }
    },
    "content": {
        mime: {"schema": {"type": "string", "format": "binary"}}
        for mime in ("image/jpeg", "image/png", "image/webp")
    },
}
REFUSALS = described("result_not_found", "result_expired", "internal_error", "storage_error")


@public_router.get(
    "/results/{uuid:job_id}",
    url_name="public_result",
    operation_id="get_result",
    summary="Download a picture",
    openapi_extra={"responses": {200: PICTURE, **REFUSALS}},
)
async def result(request: HttpRequest, job_id: uuid.UUID) -> HttpResponseBase:
    """A guest's picture, as a download. 404 when there is none, 410 when its time is over."""
    media = await in_db(find_result, job_id)
    extension = media.path.rpartition(".")[2]
    return StreamingHttpResponse(
        file_chunks(media),
        content_type=media.mime,
        headers={
            "Content-Length": str(media.size_bytes),
            "Content-Disposition": f'attachment; filename="photo-{job_id}.{extension}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def file_chunks(media: MediaObject) -> AsyncIterator[bytes]:
    """The file in large pieces. Read on the event loop on purpose: it comes from the page cache,
    and a thread hop per piece made downloads three times slower."""
    async for chunk in chunks_of(default_storage.open(media.path)):
        yield chunk


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


PROVIDER_INPUT = {
    "description": "The picture; the type is that of the content.",
    "headers": {
        name: {"description": words, "schema": {"type": "string"}}
        for name, words in (
            ("Cache-Control", "`no-store`: it is gone when the job is."),
            ("X-Robots-Tag", "`noindex`"),
        )
    },
    "content": {
        mime: {"schema": {"type": "string", "format": "binary"}}
        for mime in ("image/jpeg", "image/png")
    },
}


@public_router.get(
    "/provider-media/{media_id}",
    url_name="provider_media",
    operation_id="get_provider_media",
    summary="Fetch a picture to work on",
    openapi_extra={"responses": {200: PROVIDER_INPUT, **REFUSALS}},
)
@public_router.api_operation(["HEAD"], "/provider-media/{media_id}", include_in_schema=False)
async def provider_media(request: HttpRequest, media_id: str) -> HttpResponseBase:
    """For AI services that fetch pictures themselves. The id may carry `.jpg` or `.png`.

    404 when there is none, 410 as soon as the job is closed or its deadline has passed. HEAD tells
    the same without the picture.
    """
    is_fetch = request.method == "GET"
    media, file = await in_db(open_input, media_id, is_fetch=is_fetch)
    headers = {
        "Content-Length": str(media.size_bytes),
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
    }
    if is_fetch:
        return StreamingHttpResponse(chunks_of(file), content_type=media.mime, headers=headers)
    file.close()
    return HttpResponse(content_type=media.mime, headers=headers)
