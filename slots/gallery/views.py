"""The public gallery of a slot: on phones, as JSON, and on the screen of a hall."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language
from ninja import Field, Path, Query, Router, Schema

from media.guests.page import add_headers
from media.links import build_url, build_url_for_phones, find_links
from media.views import build_qr_response
from photochanger.db import in_db
from photochanger.openapi import error_responses
from photochanger.request_scope import FRESH_UNTIL_KEY, get_scope
from slots.gallery.contents import Gallery, GalleryResult, get_cached_gallery, load_gallery

gallery_router = Router(tags=["public"])

QR_FRESH = "private, max-age=300"
GalleryKey = Annotated[
    str, Path(description="`slot-001` to `slot-015`, or the secret part of the gallery's address.")
]
Format = Annotated[
    Literal["html", "json", "fragment"],
    Query(description="`json` for programs; `fragment`: the list of the page alone, as HTML."),
]
# Asked again each time, and then most often answered by 304: nothing new.
# The address may be a secret: not even our own front server's log gets it as a referrer.
HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
}


class GalleryResultOut(Schema):
    id: uuid.UUID = Field(description="For links that show the picture. It cannot delete it.")
    job_id: uuid.UUID = Field(description="The same, for older programs: not the job's own id.")
    preview_url: str
    result_url: str
    page_url: str
    created_at: datetime
    expires_at: datetime | None


class GalleryOut(Schema):
    slot_id: str
    display_name: str
    results: list[GalleryResultOut]


@gallery_router.get(
    "/slots/{slot_id}",
    url_name="gallery",
    operation_id="get_gallery",
    summary="See the newest pictures of a slot",
    response=GalleryOut,
    openapi_extra={
        "responses": {
            200: {"content": {"text/html": {"schema": {"type": "string"}}}},
            304: {"description": "Nothing new since the answer with this `ETag`."},
            **error_responses(
                *("invalid_request", "slot_not_found", "gallery_closed"),
                *("internal_error", "storage_error"),
            ),
        }
    },
)
@gallery_router.api_operation(["HEAD"], "/slots/{slot_id}", include_in_schema=False)
async def gallery(
    request: HttpRequest, slot_id: GalleryKey, format: Format = "html"
) -> HttpResponse:
    """A page for people, unless `format=json` is asked for. Newest first.

    404 when the gallery is closed, also by the slot's number while it has a secret address.
    `If-None-Match` makes asking often cheap. A change of who may see it holds within a second.
    """
    seen = await open_gallery(request, slot_id)
    etag = seen.etag(format, get_language() or "", find_links(request).address)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    elif format == "json":
        response = JsonResponse(present_gallery(request, seen).model_dump(mode="json"))
    else:
        template = "slots/gallery.html" if format == "html" else "slots/_results.html"
        response = render(request, template, build_context(request, seen))
    if format != "html":  # the page itself names files that change with our next version
        response["ETag"] = etag
    patch_vary_headers(response, ["Accept-Language"])
    return add_headers(response, HEADERS)


async def open_gallery(request: HttpRequest, slot_id: str) -> Gallery:
    """What a page is made of; whoever asks for the same one while it is fresh gets it too."""
    seen = get_cached_gallery(slot_id)
    if seen is None:
        seen = await in_db(load_gallery, slot_id)
    get_scope(request)[FRESH_UNTIL_KEY] = seen.fresh_until
    return seen


def present_gallery(request: HttpRequest, gallery: Gallery) -> GalleryOut:
    results = [_present_result(request, shown) for shown in gallery.results]
    return GalleryOut(slot_id=gallery.slot_id, display_name=gallery.name, results=results)


def _present_result(request: HttpRequest, shown: GalleryResult) -> GalleryResultOut:
    links = {
        f"{name}_url": build_url(request, f"api:{url_name}", job_id=shown.view_id)
        for name, url_name in (
            ("preview", "public_preview"),
            ("result", "public_result"),
            ("page", "guest_page"),
        )
    }
    return GalleryResultOut(
        id=shown.view_id,
        job_id=shown.view_id,
        **links,
        created_at=shown.created_at,
        expires_at=shown.expires_at,
    )


@gallery_router.get("/slots/{slot_id}/slideshow", url_name="slideshow", include_in_schema=False)
async def slideshow(request: HttpRequest, slot_id: GalleryKey) -> HttpResponse:
    """For a screen that nobody stands at: it follows the gallery by itself, for hours."""
    seen = await open_gallery(request, slot_id)
    return add_headers(
        render(request, "slots/slideshow.html", build_context(request, seen)), HEADERS
    )


@gallery_router.get("/slots/{slot_id}/qr.svg", url_name="gallery_qr", include_in_schema=False)
async def gallery_qr(request: HttpRequest, slot_id: GalleryKey) -> HttpResponse:
    seen = await open_gallery(request, slot_id)
    address = build_url_for_phones(request, "api:gallery", slot_id=seen.key)
    return build_qr_response(address, cache_control=QR_FRESH)


@gallery_router.get(
    "/slots/{slot_id}/slideshow/qr.svg", url_name="slideshow_qr", include_in_schema=False
)
async def slideshow_qr(request: HttpRequest, slot_id: GalleryKey) -> HttpResponse:
    """For the sheet that is printed for the hall."""
    seen = await open_gallery(request, slot_id)
    address = build_url_for_phones(request, "api:slideshow", slot_id=seen.key)
    return build_qr_response(address, cache_control=QR_FRESH)


def build_context(request: HttpRequest, gallery: Gallery) -> dict[str, Any]:
    links = find_links(request)
    page = links.address + reverse("api:gallery", kwargs={"slot_id": gallery.key})
    return {"gallery": gallery, "look": gallery.look, "links": links, "page": page}
