"""The booth passwords, shown to an administrator who confirms with the own password.

Who finds an open console cannot read them; who may is in the history, with the time.
"""

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ingest.console.event import make_sheet_with_passwords
from photochanger.errors import LoginFailed, Throttled
from photochanger.web.login import confirm_own_password
from slots.console.pages import console_page
from slots.history.records import PASSWORD, SHOWN, write_settings

log = structlog.get_logger()


@sensitive_post_parameters("own_password")
@require_http_methods(["GET", "POST"])
def booth_passwords_page(request: HttpRequest) -> HttpResponse:
    """GET: asks for the own password. POST: the passwords, on the sheet for the booths.

    429 while too many tries have failed, as at the log-in.
    """
    context = {"title": _("Booth passwords"), "is_revealed": False}
    status = 200
    if request.method == "POST":
        try:
            confirm_own_password(request, request.POST.get("own_password", ""))
        except (LoginFailed, Throttled) as exc:
            wrong = _("That is not your password.")
            context["refusal"] = exc.sentence if isinstance(exc, Throttled) else wrong
            status = exc.status if isinstance(exc, Throttled) else 200
        else:
            by = request.user.get_username()
            write_settings({}, {PASSWORD: SHOWN}, by=by)
            log.info("slots.booth_password.shown", by=by)
            context |= make_sheet_with_passwords(request)
    return console_page(request, "slots/console/booth_passwords.html", context, status=status)
