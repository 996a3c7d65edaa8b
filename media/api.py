import uuid
from collections.abc import AsyncIterator

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Router

from media.models import MediaObject
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
    with default_storage.open(media.path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
