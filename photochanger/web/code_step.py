"""The second page of the log-in: the code of the authenticator app, or a recovery code."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from photochanger.errors import Throttled
from photochanger.second_factor.checking import find_factor
from photochanger.second_factor.errors import InvalidCode, SecondFactorUnreadable
from photochanger.second_factor.sessions import PENDING, Pending, mark_session, read_pending
from photochanger.web.devices import remember_device
from photochanger.web.login import confirm_code
from slots.console.pages import console_page

BACKEND = "photochanger.second_factor.backend.AdministratorBackend"


@sensitive_post_parameters("code")
@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def login_code_page(request: HttpRequest) -> HttpResponse:
    """For whoever's password was right a moment ago; anybody else begins at the log-in."""
    pending = read_pending(request)
    if pending is None:
        return redirect("admin:login")
    if request.method == "POST":
        try:
            confirm_code(request, pending.user, request.POST.get("code", ""))
        except (InvalidCode, Throttled, SecondFactorUnreadable) as exc:
            return _ask(request, exc)
        return _let_in(request, pending)
    return _ask(request, None)


def _ask(
    request: HttpRequest, refusal: InvalidCode | Throttled | SecondFactorUnreadable | None
) -> HttpResponse:
    is_locked = isinstance(refusal, Throttled)
    context = {"title": _("Code"), "refusal": refusal.sentence if refusal else ""}
    status = refusal.status if refusal and is_locked else 200
    response = console_page(request, "admin/login_code.html", context, status=status)
    if refusal and is_locked:
        response["Retry-After"] = refusal.headers["Retry-After"]
    return response


def _let_in(request: HttpRequest, pending: Pending) -> HttpResponse:
    request.session.pop(PENDING, None)
    login(request, pending.user, backend=BACKEND)
    mark_session(request, find_factor(pending.user))
    response = redirect(_find_way(request, pending.next_url))
    remember_device(request, response)
    return response


def _find_way(request: HttpRequest, next_url: str) -> str:
    """Where the log-in was on its way to, if that is a page of ours."""
    is_ours = url_has_allowed_host_and_scheme(
        next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return next_url if is_ours else resolve_url("admin:index")
