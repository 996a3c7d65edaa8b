"""Login for the API and the console, with a shared lockout: ``photochanger.web.lockouts``."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate, logout
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from ninja import Router, Schema
from pydantic import Field

from ingest.schemas import ErrorOut
from photochanger.errors import (
    InvalidRequest,
    LoginFailed,
    Throttled,
)
from photochanger.openapi import error_responses
from photochanger.second_factor.checking import check_code, find_factor, find_row
from photochanger.second_factor.errors import InvalidCode, SecondFactorRequired
from photochanger.second_factor.sessions import (
    begin_code_step,
    is_current,
    mark_session,
    may_enter,
    needs_factor,
)
from photochanger.web.devices import is_known_browser, remember_device
from photochanger.web.lockouts import check_lockout, get_address, log_failure, make_loggable
from photochanger.web.tokens import LIFETIME, AdminToken

log = structlog.get_logger()
login_router = Router(tags=["login"])


MAX_NAME = 150  # Django's


class LoginIn(Schema):
    username: str = Field(
        min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00]+$", examples=["serg"]
    )
    password: str = Field(min_length=1, max_length=1000, examples=["correct-horse-battery"])
    code: str = Field(
        "",
        max_length=40,
        description="Of the authenticator app, or a recovery code, of who has a second factor.",
        examples=["287082"],
    )


class TokenOut(Schema):
    """Send it as ``Authorization: Bearer <access_token>``."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  a word, no secret
    expires_in: int = Field(description="Seconds until the token's time is over.")

    model_config: ClassVar = {
        "json_schema_extra": {
            "example": {
                "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJzZXJnIn0.c2ln",
                "token_type": "bearer",
                "expires_in": 28800,
            }
        }
    }


@login_router.post(
    "",
    response={
        200: TokenOut,
        **dict.fromkeys((400, 401, 413, 429, 503), ErrorOut),
    },
    operation_id="log_in",
    summary="Log in",
    openapi_extra={
        "responses": error_responses(
            *("invalid_request", "invalid_credentials", "second_factor_required", "invalid_code"),
            *("payload_too_large", "throttled", "internal_error", "storage_error"),
            "second_factor_unreadable",
        )
    },
)
def token(request: HttpRequest, credentials: LoginIn, response: HttpResponse) -> TokenOut:
    """A token for an administrator's name and password.

    It ends with its time, and at once when the password changes or the account is closed. Ten
    failures for one name from one address close this door, and the console's, to that name from
    there for 15 minutes; thirty for any names close it to all names from there. A hundred for one
    name, wherever they come from, close both to that name; only browsers that have logged in to
    the console before come in then. Whoever has a second factor sends its code too; a wrong one is
    a failure like any other. While too many log in at once, 429 asks to try again in 5 s.
    """
    refuse_foreign_page(request)
    name = User.normalize_username(credentials.username.strip())  # as the console's form does
    administrator = log_in(request, name, credentials.password, credentials.code)
    response["Cache-Control"] = "no-store"
    return TokenOut(
        access_token=str(AdminToken.for_user(administrator)),
        expires_in=int(LIFETIME.total_seconds()),
    )


def refuse_foreign_page(request: HttpRequest) -> None:
    """Raises InvalidRequest for a log-in that a page of another site sends by somebody's browser.

    It cannot read the answer, but ten of them would lock the name out. Browsers say where a request
    comes from; programs say nothing.
    """
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != request.get_host()
    if is_foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise InvalidRequest("a log-in from another site's page")


def log_in(request: HttpRequest, username: str, password: str, code: str) -> User:
    """The administrator of this name, password and code.

    An unknown, inactive or unprivileged account takes as long, and fails like, a wrong password.

    Raises LoginFailed, Throttled, SecondFactorRequired, InvalidCode, SecondFactorUnreadable.
    """
    check_lockout(request, username)
    request.POST = QueryDict()  # django-axes would parse JSON as a form
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise LoginFailed(make_loggable(username))
    if not isinstance(user, User) or not user.is_superuser:
        log_failure(request, username, LoginFailed.reason)
        raise LoginFailed(make_loggable(username))
    if find_factor(user) is not None and code:
        confirm_code(request, user, code)
    elif find_factor(user) is not None or settings.SECOND_FACTOR_REQUIRED:
        log_failure(request, username, SecondFactorRequired.reason)
        raise SecondFactorRequired(make_loggable(username))
    user_logged_in.send(sender=User, request=request, user=user)
    return user


def confirm_code(request: HttpRequest, user: User, typed: str) -> None:
    """That whoever knows the password has the second factor too; a wrong code is a failed log-in.

    Raises InvalidCode, Throttled, SecondFactorUnreadable.
    """
    name = user.get_username()
    check_lockout(request, name)
    try:
        check_code(user, typed, is_known_browser=is_known_browser(request, user))
    except InvalidCode as exc:
        # For django-axes; its rows are of the name, and never of what was typed.
        told = {"username": name, "reason": exc.reason}
        user_login_failed.send(sender=__name__, credentials=told, request=request)
        raise
    except Throttled:
        log_failure(request, name, Throttled.reason)
        raise


def confirm_own_password(request: HttpRequest, password: str) -> None:
    """That whoever sits at the console is who logged in there; failures count as at the log-in.

    Raises LoginFailed, Throttled.
    """
    name = request.user.get_username()
    check_lockout(request, name)
    user = authenticate(request, username=name, password=password[:1000])
    if user is None or user.pk != request.user.pk:
        raise LoginFailed(make_loggable(name))


class ConsoleLoginForm(AdminAuthenticationForm):
    refusal: Throttled | None = None
    owes_code: User | None = None  # the password was right: nobody is logged in yet
    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": LoginFailed.sentence
    }

    def clean_username(self) -> str:
        """No name is longer, and a failure must be counted under one that its row can hold."""
        return str(self.cleaned_data["username"])[:MAX_NAME]

    def clean(self) -> dict[str, Any]:
        assert self.request
        try:
            check_lockout(self.request, self.cleaned_data.get("username", ""))
        except Throttled as exc:
            self.refusal = exc
            raise ValidationError(exc.sentence, code=exc.reason) from exc
        return super().clean()

    def confirm_login_allowed(self, user: User) -> None:
        try:
            super().confirm_login_allowed(user)
            if not user.is_superuser:
                raise self.get_invalid_login_error()
        except ValidationError:
            log_failure(self.request, user.get_username(), LoginFailed.reason)
            raise
        if find_factor(user) is not None:
            self.owes_code = user
            raise ValidationError("", code=SecondFactorRequired.reason)


admin.site.login_form = ConsoleLoginForm


def console_login(request: HttpRequest) -> HttpResponse:
    """Django's login page, but with 429 while locked out, and a second page for the code."""
    if request.user.is_authenticated and not may_enter(request):
        if needs_factor(request.user) and is_current(request):
            return redirect("admin:second_factor")
        logout(request)  # it was opened before the second factor was set up, or taken away
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if isinstance(form, ConsoleLoginForm) and form.owes_code:
        begin_code_step(request, form.owes_code, request.POST.get(REDIRECT_FIELD_NAME, ""))
        return redirect("login_code")
    if isinstance(form, ConsoleLoginForm) and form.refusal:
        response.status_code = form.refusal.status
        for name, value in form.refusal.headers.items():
            response[name] = value
    if request.method == "POST" and request.user.is_authenticated:
        mark_session(request, find_row(request.user))
        remember_device(request, response)
    return response


def console_logout(request: HttpRequest) -> HttpResponse:
    """Django's, and the browser forgets what pages of ours have stored."""
    response = admin.site.logout(request)
    response["Clear-Site-Data"] = '"storage"'
    return response


@receiver(user_logged_in)
def log_login_success(request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    log.info("auth.login.success", username=user.get_username(), address=get_address(request))


@receiver(user_login_failed)
def log_login_failure(
    credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    reason = str(credentials.get("reason", LoginFailed.reason))
    log_failure(request, str(credentials.get("username", "")), reason)
