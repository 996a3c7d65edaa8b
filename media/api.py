from collections.abc import AsyncIterator
from typing import IO, Annotated

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Path, Query, Router

from media.deletion import delete_result
from media.file_response import ASK_EACH_TIME, file_answer, fresh_for
from media.openapi import DELETE_RESULT, GET_PREVIEW, GET_PROVIDER_MEDIA, GET_RESULT
from media.previews import made_anew, preview_of
from media.provider_inputs import open_input
from media.services import find_result, result_in_link
from photochanger.db import in_db
from photochanger.errors import ResultNotFound

public_router = Router(tags=["public"])

CHUNK_BYTES = 256 * 1024
PREVIEW_FRESH_S = 300

# A text, so that what is no UUID at all is answered as a picture that is not there.
ResultId = Annotated[str, Path(format="uuid", description="The job's id: the guest's secret.")]
Inline = Annotated[str, Query(description="`1`: to be shown by a browser, not saved.", example="1")]


@public_router.get(
    "/results/{job_id}",
    url_name="public_result",
    operation_id="get_result",
    summary="Download a picture",
    openapi_extra=GET_RESULT,
)
@public_router.api_operation(["HEAD"], "/results/{job_id}", include_in_schema=False)
async def result(request: HttpRequest, job_id: ResultId, inline: Inline = "") -> HttpResponseBase:
    """A guest's picture, as a download or to be shown; whole, or one part of it.

    404 when there is none, 410 when its time is over or it was deleted. HEAD tells the same
    without the picture. A browser that has the picture already is told 304.
    """
    media = await in_db(find_result, result_in_link(job_id))
    name = f"photo-{media.job_id}.{media.path.rpartition('.')[2]}"
    manner = "attachment" if inline in ("", "0") else "inline"
    disposition = f'{manner}; filename="{name}"'
    try:
        return await file_answer(
            request, media, disposition=disposition, cache_control=ASK_EACH_TIME
        )
    except FileNotFoundError as exc:
        await in_db(find_result, result_in_link(job_id))  # 410 when it was deleted this moment
        raise ResultNotFound(f"{media.path} is gone") from exc


@public_router.delete(
    "/results/{job_id}",
    operation_id="delete_result",
    summary="Delete a picture",
    openapi_extra=DELETE_RESULT,
)
async def delete(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """Delete a guest's picture for ever. Whoever has the link may do so: the link is the secret.

    404 when there is none, 410 when it is gone already.
    """
    await in_db(delete_result, result_in_link(job_id), by="guest")
    response = HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    del response["Content-Type"]
    return response


@public_router.get(
    "/results/{job_id}/preview",
    url_name="public_preview",
    operation_id="get_preview",
    summary="See a small picture",
    openapi_extra=GET_PREVIEW,
)
@public_router.api_operation(["HEAD"], "/results/{job_id}/preview", include_in_schema=False)
async def preview(request: HttpRequest, job_id: ResultId) -> HttpResponseBase:
    """The picture as a WEBP of at most 512 px, to be shown; made now if it is missing.

    404, 410, HEAD, 304 and parts as for the picture itself. A browser may show it again for five
    minutes without asking.
    """
    media = await preview_of(result_in_link(job_id))
    disposition = f'inline; filename="photo-{media.job_id}-preview.webp"'
    cache_control = fresh_for(media, at_most_s=PREVIEW_FRESH_S)
    try:
        return await file_answer(
            request, media, disposition=disposition, cache_control=cache_control
        )
    except FileNotFoundError:  # its row was there, its file was not
        media = await made_anew(await in_db(find_result, result_in_link(job_id)))
    return await file_answer(request, media, disposition=disposition, cache_control=cache_control)


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


@public_router.get(
    "/provider-media/{media_id}",
    url_name="provider_media",
    operation_id="get_provider_media",
    summary="Fetch a picture to work on",
    openapi_extra=GET_PROVIDER_MEDIA,
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
