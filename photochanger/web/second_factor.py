"""An administrator's own second factor: set up with a QR code, looked at, removed."""

import base64
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from media.views import render_qr_svg
from photochanger.errors import AppError, LoginFailed, ProviderConfig, Throttled
from photochanger.second_factor.checking import find_factor
from photochanger.second_factor.codes import build_app_address, make_secret
from photochanger.second_factor.lifecycle import remove_factor, set_up_factor
from photochanger.second_factor.sessions import is_current, mark_session
from photochanger.web.login import confirm_code, confirm_own_password
from slots.console.pages import console_page
from slots.secrets import decrypt, encrypt

NEW = "second_factor_new"  # encrypted, in the session, until it is confirmed
FEW_CODES = 3


@sensitive_post_parameters("own_password", "code")
@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Also for whoever must set one up before any other page opens."""
    user = request.user
    if not isinstance(user, User) or not _may_come(request):
        return redirect_to_login(request.get_full_path(), "/admin/login/")
    if request.method == "GET":
        return _show(request)
    try:
        confirm_own_password(request, request.POST.get("own_password", ""))
        if find_factor(user) is None:
            return _set_up(request, user)
        return _remove(request, user)
    except IntegrityError:  # set up in another window meanwhile
        return redirect("admin:login")
    except AppError as exc:
        return _show(request, exc)


def _may_come(request: HttpRequest) -> bool:
    user = request.user
    return user.is_active and user.is_superuser and is_current(request)


def _set_up(request: HttpRequest, user: User) -> HttpResponse:
    """Raises InvalidCode."""
    made = set_up_factor(user, _get_new_secret(request), request.POST.get("code", ""))
    request.session.pop(NEW, None)
    mark_session(request, made.factor)
    context = {"title": _("Second factor"), "recovery_codes": made.recovery_codes}
    return console_page(request, "admin/second_factor.html", context)


def _remove(request: HttpRequest, user: User) -> HttpResponse:
    """Raises InvalidCode, Throttled, SecondFactorUnreadable."""
    confirm_code(request, user, request.POST.get("code", ""))
    mark_session(request, remove_factor(user, by=user.get_username()))
    return redirect("admin:second_factor")


def _show(request: HttpRequest, refusal: AppError | None = None) -> HttpResponse:
    factor = find_factor(request.user)
    context: dict[str, Any] = {
        "title": _("Second factor"),
        "factor": factor,
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "refusal": _describe(refusal),
        "is_password_wrong": isinstance(refusal, LoginFailed),
    }
    if factor:
        context["codes_left"] = len(factor.recovery_hashes)
        context["has_few_codes"] = len(factor.recovery_hashes) < FEW_CODES
    else:
        context |= _describe_new(request)
    status = refusal.status if isinstance(refusal, Throttled) else 200
    return console_page(request, "admin/second_factor.html", context, status=status)


def _describe(refusal: AppError | None) -> str:
    if isinstance(refusal, LoginFailed):
        return _("That is not your password.")
    return str(refusal.sentence) if refusal else ""


def _describe_new(request: HttpRequest) -> dict[str, Any]:
    """The secret as a QR code and in letters: in the page alone, never in an address."""
    try:
        secret = _get_new_secret(request)
    except ProviderConfig:
        return {"is_without_key": True}
    address = build_app_address(secret, request.user.get_username())
    picture = base64.b64encode(render_qr_svg(address)).decode()
    return {
        "qr": f"data:image/svg+xml;base64,{picture}",
        "app_address": address,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    }


def _get_new_secret(request: HttpRequest) -> str:
    """The same until it is confirmed, or the session ends: a QR code may be scanned once only.

    Raises ProviderConfig without FIELD_ENCRYPTION_KEY.
    """
    try:
        return decrypt(request.session[NEW])
    except (KeyError, ProviderConfig):  # none yet, or of a key that is gone
        secret = make_secret()
        request.session[NEW] = encrypt(secret)
        return secret
