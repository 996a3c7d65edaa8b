"""What the console shows where a page cannot be: the same look, plain words, the way back.

Made without the session and the database, either of which may be what failed. Other addresses keep
Django's own short answers: who asks there is a program or a stranger.
"""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import csrf, defaults
from structlog.contextvars import get_contextvars

from photochanger.edge.language import negotiate_language
from photochanger.errors import AppError

log = structlog.get_logger()

CONSOLE = "/admin/"
FOREIGN_ORIGIN = ("Origin checking failed", "Referer checking failed")  # Django's words


def show_unknown_host(request: HttpRequest, error: AppError) -> HttpResponse:
    """To people who opened the console by a name that is not the server's."""
    language = negotiate_language(request.headers.get("Accept-Language", ""))
    with translation.override(language):
        # No way back: under this name no address leads anywhere.
        return _render(
            error.status, _("Unknown name"), str(error.sentence), template="message.html"
        )


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's ``handler404``."""
    if not _is_console(request):
        return defaults.page_not_found(request, exception)
    words = _("It was deleted, or the address has a mistake in it.")
    return _render(404, _("There is no such page"), words)


def show_forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's ``handler403``."""
    if not _is_console(request):
        return defaults.permission_denied(request, exception)
    words = _("Your account may not do this. Ask an administrator for the right.")
    return _render(403, _("This is not open to you"), words)


def show_error(request: HttpRequest) -> HttpResponseBase:
    """Django's ``handler500``: its traceback stands in the log, under the number shown."""
    if not _is_console(request):
        return defaults.server_error(request)
    words = _(
        "It is our mistake, not yours, and photos go on being made. Try again; if it comes again,"
        " tell whoever runs the server this number: the log has it."
    )
    number = str(get_contextvars().get("request_id", ""))
    try:
        return _render(500, _("This page could not be made"), words, number=number)
    except Exception:  # what is broken may be what every page needs
        log.exception("http.error_page.failed")
        return defaults.server_error(request)


def show_outdated_form(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Django's ``CSRF_FAILURE_VIEW``: mostly a page from before the last log-in."""
    if not _is_console(request):
        return csrf.csrf_failure(request, reason)
    if reason.startswith(FOREIGN_ORIGIN):  # no loading anew would help
        words = _(
            "Nothing was changed. The server does not know itself by the address that your browser"
            " shows. Whoever runs it adds that to CSRF_TRUSTED_ORIGINS, and the front server to"
            " TRUSTED_PROXIES."
        )
        return _render(403, _("This address is not trusted"), words)
    words = _(
        "Nothing was changed. The page was opened before you logged in anew, or your browser keeps"
        " no cookies. Go back, load the page again and repeat what you did."
    )
    return _render(403, _("This form is out of date"), words)


def _is_console(request: HttpRequest) -> bool:
    return request.path_info.startswith(CONSOLE)


def _render(
    status: int, title: str, words: str, *, template: str = "console/error.html", **more: Any
) -> HttpResponse:
    page = render_to_string(template, {"title": title, "words": words, **more})
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})
