"""What pages of the console have in common. The lowest app with pages, so all others may use it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


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
) -> HttpResponse:
    """Ask before the POST is carried out; for when no script has asked in a dialog.

    A yes sends the same POST again, with ``confirmed`` and what is ``carried``.
    """
    context = {"title": title, "words": words, "yes": yes, "carried": carried or {}}
    return console_page(request, "console/confirm.html", context)
