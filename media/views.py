"""What a guest sees in a browser: their picture, its end, and friendly words when it is gone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from ninja import Router

from media.api import ResultId
from media.deletion import delete_result
from media.file_response import fresh_for
from media.links import absolute
from media.models import MediaObject
from media.qr import qr_svg
from media.services import find_result, result_in_link
from photochanger.db import in_db
from photochanger.errors import AppError
from photochanger.openapi import described

guest_router = Router(tags=["public"])

QR_FRESH_S = 300
PAGE_HEADERS = {
    # A page must not come back from the phone's memory after its picture was deleted.
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


@guest_router.api_operation(
    ["GET", "HEAD"], "/results/{job_id}/page", url_name="guest_page", include_in_schema=False
)
async def guest_page(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    media = await in_db(find_result, result_in_link(job_id))
    return page_of(request, "media/guest_page.html", media)


@guest_router.get("/results/{job_id}/delete", url_name="guest_delete", include_in_schema=False)
async def ask_before_deleting(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """For browsers without scripts; with them the page itself asks."""
    media = await in_db(find_result, result_in_link(job_id))
    return page_of(request, "media/guest_delete.html", media)


@guest_router.post("/results/{job_id}/delete", include_in_schema=False)
async def delete(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """No form token: who can forge this knows the link, and the link is all one needs."""
    await in_db(delete_result, result_in_link(job_id), by="guest")
    return friendly_page(
        request,
        title=_("Your picture is deleted"),
        words=_("It is gone from our server for good, and nobody can open its link any more."),
    )


@guest_router.get(
    "/results/{job_id}/qr.svg",
    url_name="result_qr",
    operation_id="get_result_qr",
    summary="See the QR code of a picture's page",
    openapi_extra={
        "responses": {
            200: {
                "description": "The absolute address of the guest page as a QR code.",
                "content": {"image/svg+xml": {"schema": {"type": "string"}}},
            },
            **described("result_not_found", "result_expired", "internal_error", "storage_error"),
        }
    },
)
@guest_router.api_operation(["HEAD"], "/results/{job_id}/qr.svg", include_in_schema=False)
async def result_qr(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """404 when there is no such picture, 410 when its time is over."""
    media = await in_db(find_result, result_in_link(job_id))
    address = absolute(request, "api:guest_page", job_id=media.job_id)
    return qr_answer(address, cache_control=fresh_for(media, at_most_s=QR_FRESH_S))


def qr_answer(address: str, *, cache_control: str) -> HttpResponse:
    headers = {
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    return HttpResponse(qr_svg(address), content_type="image/svg+xml", headers=headers)


def page_of(request: HttpRequest, template: str, media: MediaObject) -> HttpResponse:
    links = {
        name: absolute(request, f"api:{url_name}", job_id=media.job_id)
        for name, url_name in (("page", "guest_page"), ("file", "public_result"))
    }
    context = {"media": media, "links": links}
    return with_page_headers(render(request, template, context))


def with_page_headers(response: HttpResponse) -> HttpResponse:
    for name, value in PAGE_HEADERS.items():
        response[name] = value
    return response


def friendly_page(
    request: HttpRequest, *, title: str, words: str, status: int = 200
) -> HttpResponse:
    context = {"title": title, "words": words}
    return with_page_headers(render(request, "message.html", context, status=status))


# --- When there is nothing to see ----------------------------------------------------------------
def wants_page(request: HttpRequest) -> bool:
    """A person opened a public link in a browser: a failure must be told in friendly words."""
    return (
        request.path_info.startswith(("/public/results/", "/public/slots/"))
        and request.GET.get("format", "html") == "html"
        and "text/html" in request.headers.get("Accept", "")
    )


def refusal_page(request: HttpRequest, error: AppError) -> HttpResponse:
    title, words = _refusal(error)
    response = friendly_page(request, title=title, words=words, status=error.status)
    for name, value in error.headers().items():
        response[name] = value
    return response


def _refusal(error: AppError) -> tuple[str, str]:
    match error.reason:
        case "result_not_found":
            return _("There is no such picture"), _("Check the link, or scan the QR code again.")
        case "result_expired":
            return _("This picture is gone"), _(
                "Its time was over, or somebody who has the link deleted it. "
                "It cannot be brought back."
            )
        case "gallery_closed" | "slot_not_found":  # one page: nobody learns which slots there are
            return _("The gallery is closed"), _(
                "Pictures are shown here during an event. A link to your own picture works on."
            )
    return _("That did not work"), str(error.sentence)
