"""What a guest sees in a browser: the picture, its deletion, and a page when it is gone."""

import io

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from ninja import Router

from media.api import ResultId
from media.file_response import format_cache_control
from media.guests.look import find_look
from media.guests.page import add_headers, build_page_context
from media.guests.refusals import ViewOnly
from media.guests.share_pictures import measure_picture
from media.links import build_url_for_phones
from media.openapi import GET_RESULT_QR
from media.services import delete_by_link, find_linked_result
from photochanger.db import in_db
from photochanger.errors import AppError, ResultNotFound
from photochanger.parsing import parse_id

guest_router = Router(tags=["public"])

QR_FRESH_S = 300
STORAGE_BACK_S = "30"  # a guess: somebody may have to look after a disk or a database
PAGE_HEADERS = {
    # A phone must not show the page from its cache after the picture was deleted.
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


@guest_router.api_operation(
    ["GET", "HEAD"], "/results/{job_id}/page", url_name="guest_page", include_in_schema=False
)
async def show_guest_page(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    linked = await in_db(find_linked_result, parse_id(job_id, ResultNotFound))
    look = await in_db(find_look, linked.media)
    context = build_page_context(request, linked, await measure_picture(linked.media), look)
    return add_headers(render(request, "media/guest_page.html", context), PAGE_HEADERS)


@guest_router.get("/results/{job_id}/delete", url_name="guest_delete", include_in_schema=False)
async def confirm_delete(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """For browsers without scripts; with scripts the page itself asks."""
    linked = await in_db(find_linked_result, parse_id(job_id, ResultNotFound))
    if not linked.is_owner:
        raise ViewOnly("a view id cannot delete")
    context = {"media": linked.media, "link_id": linked.link_id}
    return add_headers(render(request, "media/guest_delete.html", context), PAGE_HEADERS)


@guest_router.post("/results/{job_id}/delete", include_in_schema=False)
async def delete(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """No CSRF token: whoever can forge this knows the owner's link, which is the only secret."""
    await in_db(delete_by_link, parse_id(job_id, ResultNotFound))
    return _render_message_page(
        request,
        title=_("Your picture is deleted"),
        words=_(
            "Nobody can open its link any more. The organiser can undo a mistake for an hour; then "
            "it is gone from our server for good."
        ),
    )


@guest_router.get(
    "/results/{job_id}/qr.svg",
    url_name="result_qr",
    operation_id="get_result_qr",
    summary="See the QR code of a picture's page",
    openapi_extra=GET_RESULT_QR,
)
@guest_router.api_operation(["HEAD"], "/results/{job_id}/qr.svg", include_in_schema=False)
async def show_result_qr(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """404 when there is no such picture, 410 when its time is over.

    404 too when no phone could open the address. The code leads to this link's page: an id out of
    a gallery makes a code that shows, the job's own makes one that may also delete.
    """
    linked = await in_db(find_linked_result, parse_id(job_id, ResultNotFound))
    address = build_url_for_phones(request, "api:guest_page", job_id=linked.link_id)
    cache_control = format_cache_control(linked.media, at_most_s=QR_FRESH_S)
    return build_qr_response(address, cache_control=cache_control)


def render_qr_svg(address: str) -> bytes:
    """Dark on white with its quiet zone, whatever the page's colours: cameras need the contrast."""
    out = io.BytesIO()
    # "m" survives a reflection on the screen, and keeps the squares large.
    segno.make_qr(address, error="m").save(
        out, kind="svg", border=4, dark="#0f312a", light="#fff", xmldecl=False, omitsize=True
    )
    return out.getvalue()


def build_qr_response(address: str, *, cache_control: str) -> HttpResponse:
    headers = {
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    return HttpResponse(render_qr_svg(address), content_type="image/svg+xml", headers=headers)


def _render_message_page(
    request: HttpRequest, *, title: str, words: str, status: int = 200
) -> HttpResponse:
    context = {"title": title, "words": words}
    return add_headers(render(request, "message.html", context, status=status), PAGE_HEADERS)


def wants_html_page(request: HttpRequest) -> bool:
    """Whether a person opened a public link in a browser, and so needs a page for a failure."""
    return (
        request.path_info.startswith(("/public/results/", "/public/slots/"))
        and request.GET.get("format", "html") == "html"
        and "text/html" in request.headers.get("Accept", "")
    )


def render_error_page(request: HttpRequest, error: AppError) -> HttpResponse:
    title, words = _explain_error(error)
    is_passing = error.reason == "storage_error"  # a guest's link is right all the same
    status = 503 if is_passing else error.status
    response = _render_message_page(request, title=title, words=words, status=status)
    for name, value in error.headers.items():
        response[name] = value
    if is_passing:
        response.headers.setdefault("Retry-After", STORAGE_BACK_S)
    return response


def _explain_error(error: AppError) -> tuple[str, str]:
    match error.reason:
        case "result_not_found":
            return _("There is no such picture"), _("Check the link, or scan the QR code again.")
        case "result_expired":
            return _("This picture is gone"), _(
                "Its time was over, or somebody who has the link deleted it. "
                "It cannot be brought back."
            )
        case "forbidden":
            return _("This link cannot delete"), str(error.sentence)
        case "gallery_closed" | "slot_not_found":  # one page: nobody learns which slots there are
            return _("The gallery is closed"), _(
                "Pictures are shown here during an event. A link to your own picture works on."
            )
        case "storage_error":
            return _("The server cannot answer right now"), _(
                "Your link is right. Open it again in a minute: perhaps whoever runs the server "
                "has to look after it first."
            )
    return _("That did not work"), str(error.sentence)
