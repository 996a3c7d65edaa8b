"""Login for the API and the console, with a shared lockout (django-axes).

django-axes counts failures in the database, so that all processes agree, by name and address
together: an attacker locks out only their own address, never an administrator elsewhere, and never
a browser that has logged in before (``photochanger.web.devices``). An address that fails under many
names is locked too: each try costs 0.3 s of CPU.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import structlog
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from ingest.schemas import ErrorOut
from photochanger.errors import InvalidRequest, LoginFailed, Throttled
from photochanger.openapi import error_responses
from photochanger.parsing import group_address, make_printable
from photochanger.web.devices import find_device_address, remember_device
from photochanger.web.tokens import LIFETIME, AdminToken

log = structlog.get_logger()
login_router = Router(tags=["login"])

ADDRESS_FAILURE_LIMIT = 30  # of one address, whatever the names


def get_lockout_address(request: HttpRequest) -> str | None:
    """The address that failures are counted for (the setting AXES_CLIENT_IP_CALLABLE).

    Never from a header: the edge has already put a trusted proxy's client there. Of an IPv6
    address the /64 network counts, since one client may use any address of it.
    """
    if device := find_device_address(request):
        return device
    return group_address(request.META.get("REMOTE_ADDR", "")) or None


def check_lockout(request: HttpRequest, username: str) -> None:
    """Raises Throttled while too many log-ins have failed for this name from this address, or for
    all names together."""
    if seconds := _get_lockout_s(request, username):
        _log_failure(request, username, Throttled.reason)
        raise Throttled(retry_after_s=seconds)


def _get_lockout_s(request: HttpRequest, username: str) -> float:
    now = timezone.now()
    # A row for each browser and name; it expires when its last failure is older than the lockout.
    rows = AccessAttempt.objects.filter(
        ip_address=get_lockout_address(request),
        attempt_time__gt=now - settings.AXES_COOLOFF_TIME,
    ).order_by("attempt_time")
    found = list(rows.values_list("username", "attempt_time", "failures_since_start"))
    of_name = [(last, count) for name, last, count in found if name == username]
    of_address = [(last, count) for _, last, count in found]
    return max(
        _count_down(of_name, settings.AXES_FAILURE_LIMIT, now),
        _count_down(of_address, ADDRESS_FAILURE_LIMIT, now),
    )


def _count_down(attempts: list[tuple[datetime, int]], limit: int, now: datetime) -> float:
    """Seconds until fewer than ``limit`` failures count, given those that count now, in order."""
    failures, seconds = sum(count for _, count in attempts), 0.0
    for last, count in attempts:
        if failures < limit:
            break
        failures -= count
        seconds = (last + settings.AXES_COOLOFF_TIME - now).total_seconds()
    return seconds


class LoginIn(Schema):
    username: str = Field(min_length=1, max_length=150, pattern=r"^[^\x00]+$", examples=["serg"])
    password: str = Field(min_length=1, max_length=1000, examples=["correct-horse-battery"])


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
    response={200: TokenOut, 400: ErrorOut, 401: ErrorOut, 413: ErrorOut, 429: ErrorOut},
    operation_id="log_in",
    summary="Log in",
    openapi_extra={
        "responses": error_responses(
            *("invalid_request", "invalid_credentials", "payload_too_large", "throttled"),
            *("internal_error", "storage_error"),
        )
    },
)
def token(request: HttpRequest, credentials: LoginIn, response: HttpResponse) -> TokenOut:
    """A token for an administrator's name and password.

    It ends with its time, and at once when the password changes or the account is closed. Ten
    failures for one name from one address close this door, and the console's, to that name from
    there for 15 minutes; thirty for any names close it to all names from there.
    """
    refuse_foreign_page(request)
    administrator = log_in(request, credentials.username, credentials.password)
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


def log_in(request: HttpRequest, username: str, password: str) -> User:
    """The administrator of this name and password. Raises LoginFailed, Throttled.

    An unknown, inactive or unprivileged account takes as long, and fails like, a wrong password.
    """
    check_lockout(request, username)
    request.POST = QueryDict()  # django-axes would parse JSON as a form
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise LoginFailed(_make_loggable(username))
    if not isinstance(user, User) or not user.is_superuser:
        _log_failure(request, username, LoginFailed.reason)
        raise LoginFailed(_make_loggable(username))
    user_logged_in.send(sender=User, request=request, user=user)
    return user


def confirm_own_password(request: HttpRequest, password: str) -> None:
    """That whoever sits at the console is who logged in there; failures count as at the log-in.

    Raises LoginFailed, Throttled.
    """
    name = request.user.get_username()
    check_lockout(request, name)
    user = authenticate(request, username=name, password=password[:1000])
    if user is None or user.pk != request.user.pk:
        raise LoginFailed(_make_loggable(name))


class ConsoleLoginForm(AdminAuthenticationForm):
    refusal: Throttled | None = None
    error_messages = AdminAuthenticationForm.error_messages | {
        "invalid_login": LoginFailed.sentence
    }

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
        except ValidationError:
            _log_failure(self.request, user.get_username(), LoginFailed.reason)
            raise


admin.site.login_form = ConsoleLoginForm


def console_login(request: HttpRequest) -> HttpResponse:
    """Django's login page, but with 429 while locked out."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if isinstance(form, ConsoleLoginForm) and form.refusal:
        response.status_code = form.refusal.status
        for name, value in form.refusal.headers.items():
            response[name] = value
    if request.method == "POST" and request.user.is_authenticated:
        remember_device(request, response)
    return response


def console_logout(request: HttpRequest) -> HttpResponse:
    """Django's, and the browser forgets what pages of ours have stored."""
    response = admin.site.logout(request)
    response["Clear-Site-Data"] = '"storage"'
    return response


@receiver(user_logged_in)
def log_login_success(request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    log.info("auth.login.success", username=user.get_username(), address=_get_address(request))


@receiver(user_login_failed)
def log_login_failure(
    credentials: Mapping[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    _log_failure(request, str(credentials.get("username", "")), LoginFailed.reason)


def _log_failure(request: HttpRequest | None, username: str, reason: str) -> None:
    log.warning(
        "auth.login.failure",
        username=_make_loggable(username),
        reason=reason,
        address=_get_address(request),
    )


def _get_address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", "")) if request else ""


def _make_loggable(username: str) -> str:
    """A name as typed by anybody, fit for one line of a log that people read."""
    return make_printable(username, 150, replacement="?")
