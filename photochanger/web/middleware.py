"""Django's middleware for pages that people open, skipped where only machines and guests call.

A booth, a monitor and a guest have no session, no language cookie and no form token; each of these
would cost the photo's path two thread hops.
"""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware import clickjacking, common, csrf, locale, security
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django_htmx import middleware as htmx

from photochanger.edge.body import language_of

MACHINE_PATHS = (
    "/ingest/",
    "/api/ingest/",
    "/api/jobs/",
    "/public/",
    "/livez",
    "/healthz",
    "/metrics",
)

GUARDS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    # The address of a guest's page is the guest's secret; no other site may learn it.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class PageGuard:
    """Tells browsers what a page of ours may do: nothing inline, nothing from or to elsewhere.

    Every page and every failure's page gets it, those of Django and of Ninja too.
    """

    async_capable, sync_capable = True, True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        answer = self.get_response(request)
        return guarded_later(answer) if isawaitable(answer) else guarded(answer)


async def guarded_later(answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return guarded(await answer)


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    if is_page(response):
        for name, value in GUARDS.items():
            response.headers.setdefault(name, value)
    return response


class GuestLanguage:
    """Guests read in the language of their phone; no cookie, no session, no thread hop."""

    async_capable, sync_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/public/"):
            return await self.get_response(request)
        language = language_of(request.headers.get("Accept-Language", ""))
        with translation.override(language):
            response = await self.get_response(request)
        if is_page(response):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ["Accept-Language"])
        return response


def is_page(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("text/html")


class ForPeople:
    """Mixed into a middleware, it lets requests to ``MACHINE_PATHS`` pass by untouched."""

    async def __acall__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(MACHINE_PATHS):
            return await self.get_response(request)  # type: ignore[attr-defined]
        return await super().__acall__(request)  # type: ignore[misc]


class SecurityMiddleware(ForPeople, security.SecurityMiddleware):
    pass


class SessionMiddleware(ForPeople, sessions.SessionMiddleware):
    pass


class LocaleMiddleware(ForPeople, locale.LocaleMiddleware):
    pass


class CommonMiddleware(ForPeople, common.CommonMiddleware):
    pass


class CsrfViewMiddleware(ForPeople, csrf.CsrfViewMiddleware):
    pass


class AuthenticationMiddleware(ForPeople, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(ForPeople, messages.MessageMiddleware):
    pass


class XFrameOptionsMiddleware(ForPeople, clickjacking.XFrameOptionsMiddleware):
    pass


class HtmxMiddleware(ForPeople, htmx.HtmxMiddleware):
    """``request.htmx``; and the login page never comes where a part of a page was asked for."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        answer = super().__call__(request)
        return _part_later(request, answer) if isawaitable(answer) else _part(request, answer)


async def _part_later(
    request: HttpRequest, answer: Awaitable[HttpResponseBase]
) -> HttpResponseBase:
    return _part(request, await answer)


def _part(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The session is over: 401 and where to log in. What is being typed is the page's to keep."""
    login = reverse("admin:login")
    is_sent_to_login = response.status_code == 302 and response["Location"].startswith(login)
    if not (is_sent_to_login and request.headers.get("HX-Request") == "true"):
        return response
    page = htmx.HtmxDetails(request).current_url_abs_path or reverse("admin:index")
    return HttpResponse(status=401, headers={"X-Login": f"{login}?{urlencode({'next': page})}"})
