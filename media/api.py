from typing import Annotated

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.utils.http import parse_etags
from ninja import Path, Query, Router

from media import storage
from media.downloads.counting import count_download, is_start_of_download
from media.file_response import REVALIDATE, format_cache_control, format_etag, serve_file
from media.guests.share_pictures import make_share_picture
from media.openapi import (
    DELETE_RESULT,
    GET_PREVIEW,
    GET_PROVIDER_MEDIA,
    GET_RESULT,
    GET_SHARE_PICTURE,
)
from media.previews import find_or_make_preview, remake_preview
from media.provider_inputs import open_input
from media.services import delete_by_link, find_linked_result
from photochanger.db import in_db
from photochanger.errors import ResultNotFound
from photochanger.parsing import parse_id

public_router = Router(tags=["public"])

PREVIEW_FRESH_S = 300

# A text, so that what is not a UUID at all gets the same 404 as a missing picture.
ResultId = Annotated[
    str,
    Path(
        format="uuid",
        description="The job's id, which is its owner's secret, or the id that galleries show, "
        "which can do everything but delete.",
    ),
]
Inline = Annotated[str, Query(description="`1`: to be shown by a browser, not saved.", example="1")]


@public_router.get(
    "/results/{job_id}",
    url_name="public_result",
    operation_id="get_result",
    summary="Download a picture",
    openapi_extra=GET_RESULT,
)
@public_router.api_operation(["HEAD"], "/results/{job_id}", include_in_schema=False)
async def get_result(
    request: HttpRequest, job_id: ResultId, inline: Inline = ""
) -> HttpResponseBase:
    """A guest's picture, as a download or to be shown; whole, or one part of it.

    404 when there is none, 410 when its time is over or it was deleted. HEAD tells the same
    without the picture. A browser that has the picture already is told 304.
    """
    link = parse_id(job_id, ResultNotFound)
    media = (await in_db(find_linked_result, link)).media
    name = f"photo-{link}.{media.path.rpartition('.')[2]}"
    disposition_type = "attachment" if inline in ("", "0") else "inline"
    disposition = f'{disposition_type}; filename="{name}"'
    try:
        response = await serve_file(
            request, media, disposition=disposition, cache_control=REVALIDATE
        )
    except FileNotFoundError as exc:
        await in_db(find_linked_result, link)  # 410 if deleted just now
        raise ResultNotFound(f"{media.path} is gone") from exc
    is_download = request.method == "GET" and disposition_type == "attachment"
    if is_download and is_start_of_download(response):
        count_download(media)
    return response


@public_router.delete(
    "/results/{job_id}",
    operation_id="delete_result",
    summary="Delete a picture",
    openapi_extra=DELETE_RESULT,
)
async def delete(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """Delete a guest's picture for ever, by the link that the booth got with it.

    403 for an id out of a gallery; 404 when there is none, 410 when it is gone already.
    """
    await in_db(delete_by_link, parse_id(job_id, ResultNotFound))
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
async def get_preview(request: HttpRequest, job_id: ResultId) -> HttpResponseBase:
    """The picture as a WEBP of at most 512 px, to be shown; made now if it is missing.

    404, 410, HEAD, 304 and parts as for the picture itself. A browser may show it again for five
    minutes without asking.
    """
    link = parse_id(job_id, ResultNotFound)
    media = await find_or_make_preview(link)
    disposition = f'inline; filename="photo-{link}-preview.webp"'
    cache_control = format_cache_control(media, at_most_s=PREVIEW_FRESH_S)
    try:
        return await serve_file(
            request, media, disposition=disposition, cache_control=cache_control
        )
    except FileNotFoundError:  # the row exists, the file does not
        media = await remake_preview((await in_db(find_linked_result, link)).media)
    return await serve_file(request, media, disposition=disposition, cache_control=cache_control)


@public_router.get(
    "/results/{job_id}/share.jpg",
    url_name="share_picture",
    operation_id="get_share_picture",
    summary="See the picture that messengers show",
    openapi_extra=GET_SHARE_PICTURE,
)
@public_router.api_operation(["HEAD"], "/results/{job_id}/share.jpg", include_in_schema=False)
async def get_share_picture(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """The picture as a JPEG of at most 1200 px and 300 kB, as messengers want it. 404, 410."""
    media = (await in_db(find_linked_result, parse_id(job_id, ResultNotFound))).media
    headers = {
        "Cache-Control": format_cache_control(media, at_most_s=PREVIEW_FRESH_S),
        "ETag": f'"share-{format_etag(media)[1:]}',
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    if headers["ETag"] in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(await make_share_picture(media), content_type="image/jpeg", headers=headers)


@public_router.get(
    "/provider-media/{media_id}",
    url_name="provider_media",
    operation_id="get_provider_media",
    summary="Fetch a picture to work on",
    openapi_extra=GET_PROVIDER_MEDIA,
)
@public_router.api_operation(["HEAD"], "/provider-media/{media_id}", include_in_schema=False)
async def get_provider_media(request: HttpRequest, media_id: str) -> HttpResponseBase:
    """For AI services that fetch pictures themselves. The id may carry `.jpg` or `.png`.

    404 when there is none, 410 as soon as the job is closed. HEAD tells the same without the
    picture.
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
        return StreamingHttpResponse(
            storage.iter_chunks(file), content_type=media.mime, headers=headers
        )
    file.close()
    return HttpResponse(content_type=media.mime, headers=headers)
