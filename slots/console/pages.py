"""What pages of the console have in common. The lowest app with pages, so all others may use it."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from slots.models import Slot

View = Callable[..., Any]


class AdminView(Protocol):
    """``AdminSite.admin_view``: it lets administrators in only.

    ``cacheable``: the page says itself how long a browser may keep it; else it may not.
    """

    def __call__(self, view: View, cacheable: bool = False) -> View: ...


def find_slot_or_404(slot_id: str) -> Slot:
    """Raises Http404."""
    return get_object_or_404(Slot, pk=slot_id)


def show_picture(body: bytes, mime: str) -> HttpResponse:
    """Of a ``cacheable`` address whose picture never becomes another. Ten minutes: a picture that
    was deleted, or a browser that was left behind, shows it no longer than that."""
    headers = {"Cache-Control": "private, max-age=600"}
    return HttpResponse(body, content_type=mime, headers=headers)


def console_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """``template`` within the console's frame."""
    frame = admin.site.each_context(request)
    return render(request, template, {**frame, **context}, status=status)


def confirm_page(
    request: HttpRequest,
    *,
    title: str,
    words: str,
    yes: str,
    carried: Mapping[str, str] | None = None,
    back: str = "",
) -> HttpResponse:
    """Ask before the POST is carried out; for when no script has asked in a dialog.

    A yes sends the same POST again, with ``confirmed`` and what is ``carried``; a no leads
    ``back``, or to the dashboard.
    """
    context = {"title": title, "words": words, "yes": yes, "carried": carried or {}, "back": back}
    return console_page(request, "console/confirm.html", context)
