"""The page on which pictures are approved: for one thumb, with scripts or without."""

import asyncio
import secrets
from functools import partial
from typing import Any, get_args

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from ninja import Router

from media.file_response import serve_file
from media.guests.page import add_headers
from media.models import MediaObject
from media.previews import find_or_make_preview
from photochanger.db import in_db
from photochanger.errors import AppError, ResultNotFound
from photochanger.parsing import parse_id
from slots.approval.decisions import (
    PER_PAGE,
    Decision,
    decide,
    find_picture,
    list_deleted,
    select_for_review,
)
from slots.approval.links import find_link
from slots.approval.models import ApprovalLink
from slots.approval.pin import Turn, check_pin, take_turn
from slots.approval.scope import get_scope, load_title
from slots.approval.session import let_in, recognise_visitor

approval_router = Router(tags=["public"])

Review = MediaObject.Review
DECISIONS: dict[str, Decision] = {name: name for name in get_args(Decision)}
TABS = ("new", "approved", "hidden", "deleted")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@approval_router.get("/approval/{token}", url_name="approval", include_in_schema=False)
async def show_page(request: HttpRequest, token: str) -> HttpResponse:
    """The pictures to decide on; for who has not typed the PIN, the field for it and no more."""
    link = await in_db(find_link, token)
    if link is None:
        return _answer_unknown(request)
    if not recognise_visitor(request, link).is_let_in:
        return _answer_pin_form(request, link)
    return await in_db(_render_pictures, request, link)


@approval_router.post("/approval/{token}", include_in_schema=False)
async def enter_pin(request: HttpRequest, token: str) -> HttpResponse:
    link = await in_db(find_link, token)
    if link is None:
        return _answer_unknown(request)
    visitor = recognise_visitor(request, link)
    turn = await in_db(take_turn, link.pk, visitor.source, is_known=visitor.is_known)
    if turn.retry_after_s:
        return _answer_busy(request, link, turn)
    await asyncio.sleep(turn.wait_s)  # in line, without a thread or a connection
    if not await in_db(check_pin, link.pk, request.POST.get("pin", ""), visitor.source):
        words = _("This PIN is not right. Look at it again: eight digits.")
        return _answer_pin_form(request, link, words=words, status=403)
    response = HttpResponseRedirect(_build_path(link))
    let_in(response, link, device=secrets.token_hex(8))
    return add_headers(response, HEADERS)


@approval_router.post("/approval/{token}/pictures/{media_id}", include_in_schema=False)
async def post_decision(request: HttpRequest, token: str, media_id: str) -> HttpResponse:
    """Approve, hide, delete, restore. The cookie goes with our own page's form only."""
    link = await in_db(find_link, token)
    if link is None:
        return _answer_unknown(request)
    if not recognise_visitor(request, link).is_let_in:
        return _answer_pin_form(request, link, status=403)
    decision, tab = DECISIONS.get(request.POST.get("do", "")), request.POST.get("tab", "new")
    if decision is None:
        return _answer_unknown(request, status=400)
    note: str = decision
    try:
        key = parse_id(media_id, ResultNotFound)
        seen = request.POST.get("seen", "")
        if not await in_db(decide, get_scope(link), key, decision, seen=seen):
            note = "overtaken"
    except AppError:  # gone, or it cannot come back any more
        note = "gone"
    shown = tab if tab in TABS else "new"
    return add_headers(
        HttpResponseRedirect(f"{_build_path(link)}?tab={shown}&done={note}"), HEADERS
    )


@approval_router.get(
    "/approval/{token}/pictures/{media_id}", url_name="approval_picture", include_in_schema=False
)
async def show_picture(request: HttpRequest, token: str, media_id: str) -> HttpResponseBase:
    """Only while the PIN holds: its address alone shows nothing."""
    link = await in_db(find_link, token)
    if link is None or not recognise_visitor(request, link).is_let_in:
        return _answer_unknown(request)
    picture = await in_db(find_picture, get_scope(link), parse_id(media_id, ResultNotFound))
    assert picture.job_id is not None
    preview = await find_or_make_preview(picture.job_id)
    response = await serve_file(
        request, preview, disposition="inline", cache_control="private, no-store"
    )
    for name in ("Referrer-Policy", "Cross-Origin-Resource-Policy", "X-Robots-Tag"):
        response[name] = HEADERS[name]
    return response


def _render_pictures(request: HttpRequest, link: ApprovalLink) -> HttpResponse:
    tab = request.GET.get("tab", "new")
    tab = tab if tab in TABS else "new"
    scope = get_scope(link)
    select = partial(select_for_review, scope)
    counts = {name: select(name).count() for name in TABS[:3]}
    found = list_deleted(scope) if tab == "deleted" else select(tab)
    context: dict[str, Any] = {
        "link": link,
        "title": load_title(link),
        "tab": tab,
        "tabs": [(name, _get_tab_title(name), counts.get(name)) for name in TABS],
        "pictures": list(found[:PER_PAGE]),
        "more": max(0, counts.get(tab, 0) - PER_PAGE),
        "note": _describe_note(request.GET.get("done", "")),
    }
    return add_headers(render(request, "slots/approval/pictures.html", context), HEADERS)


def _get_tab_title(name: str) -> str:
    return {
        "new": _("Waiting"),
        "approved": _("On show"),
        "hidden": _("Hidden"),
        "deleted": _("Deleted"),
    }[name]


def _describe_note(done: str) -> str:
    return {
        "approve": _("Approved: the public sees it now."),
        "hide": _("Hidden: the public does not see it. The guest's own link works."),
        "delete": _("Deleted. It can be brought back for an hour, under “Deleted”."),
        "restore": _("It is back."),
        "overtaken": _(
            "Somebody else has hidden it meanwhile. It stays hidden: look under “Hidden”."
        ),
        "gone": _("It is gone: its time is over, or somebody has deleted it."),
    }.get(done, "")


def _answer_pin_form(
    request: HttpRequest, link: ApprovalLink, *, words: str = "", status: int = 200
) -> HttpResponse:
    context = {"link": link, "words": words}
    return add_headers(render(request, "slots/approval/pin.html", context, status=status), HEADERS)


def _answer_busy(request: HttpRequest, link: ApprovalLink, turn: Turn) -> HttpResponse:
    seconds = int(turn.retry_after_s) + 1
    words = ngettext(
        "Too many wrong tries. Wait %(count)d second, or ask for a new PIN.",
        "Too many wrong tries. Wait %(count)d seconds, or ask for a new PIN.",
        seconds,
    )
    response = _answer_pin_form(request, link, words=words % {"count": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _answer_unknown(request: HttpRequest, *, status: int = 404) -> HttpResponse:
    context = {
        "title": _("This link leads nowhere"),
        "words": _("Its time is over, or it was replaced. Ask the organiser for a new one."),
    }
    return add_headers(render(request, "message.html", context, status=status), HEADERS)


def _build_path(link: ApprovalLink) -> str:
    return reverse("api:approval", kwargs={"token": link.token})
