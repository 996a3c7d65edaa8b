"""A guest has the picture sent: a form on the picture's page that works without scripts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Router

from media.api import ResultId
from media.guests.page import add_headers
from media.links import find_links
from media.services import LinkedResult, find_linked_result
from media.views import PAGE_HEADERS
from photochanger.db import in_db
from photochanger.errors import AppError, ResultNotFound
from photochanger.parsing import group_address, parse_id
from slots.letters.access import serves_guests
from slots.letters.ordering import NoLetters, order_letter

letters_router = Router(tags=["public"])

MAX_TYPED = 300


@letters_router.get("/results/{job_id}/letter", url_name="guest_letter", include_in_schema=False)
async def show_form(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    linked = await in_db(find_linked_result, parse_id(job_id, ResultNotFound))
    if not await in_db(serves_guests):
        raise NoLetters("guests may not send letters")
    return _render_form(request, linked)


@letters_router.post("/results/{job_id}/letter", include_in_schema=False)
async def send_letter(request: HttpRequest, job_id: ResultId) -> HttpResponse:
    """No CSRF token: whoever can forge this knows the picture's link, which is the only secret."""
    linked = await in_db(find_linked_result, parse_id(job_id, ResultNotFound))
    links = find_links(request)
    try:
        await in_db(
            order_letter,
            linked.media,
            request.POST.get("address", "")[:MAX_TYPED],
            has_consent=request.POST.get("consent") == "yes",
            source=group_address(request.META.get("REMOTE_ADDR", "")),
            site=links.address if links.is_for_everybody else "",
            language=get_language() or "en",
        )
    except NoLetters:
        raise
    except AppError as refusal:
        return _render_form(request, linked, refusal)
    context = {
        "title": _("Your picture is on its way"),
        "words": _(
            "It arrives in a few minutes. If it does not, look among the unwanted letters, and "
            "whether the address was right."
        ),
        "back": reverse("api:guest_page", kwargs={"job_id": linked.link_id}),
    }
    return add_headers(render(request, "media/letter_ordered.html", context), PAGE_HEADERS)


def _render_form(
    request: HttpRequest, linked: LinkedResult, refusal: AppError | None = None
) -> HttpResponse:
    """What was typed stays, with what is wrong beside it."""
    context = {
        "link_id": linked.link_id,
        "typed": request.POST.get("address", "")[:MAX_TYPED],
        "consented": request.POST.get("consent") == "yes",
        "wrong": refusal.sentence if refusal else "",
    }
    status = refusal.status if refusal else 200
    headers = PAGE_HEADERS | (refusal.headers if refusal else {})
    return add_headers(render(request, "media/letter.html", context, status=status), headers)
