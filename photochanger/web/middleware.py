"""Middleware of our own: headers of pages, the guests' language, and refusals of unknown paths."""

from collections.abc import Awaitable, Callable

import structlog
from asgiref.sync import markcoroutinefunction
from django.core.exceptions import DisallowedHost
from django.db import DataError
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django_htmx.middleware import HtmxDetails

from ingest.refusals.recording import note_stray_photo
from photochanger.api import answer_app_error, record_refusal
from photochanger.edge.language import negotiate_language
from photochanger.edge.paths import PROVIDER_MEDIA_PATH
from photochanger.errors import AppError, MethodNotAllowed, PathNotFound
from photochanger.request_errors import UnknownHost
from photochanger.web.error_pages import show_not_found, show_unknown_host

log = structlog.get_logger()

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

SECURITY_HEADERS = {
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
API_PATHS = ("/api/", "/ingest/", "/public/")


class AsyncMiddleware:
    """Runs on the event loop only: no thread is held while a photo waits."""

    async_capable, sync_capable = True, False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        raise NotImplementedError


class SecurityHeadersMiddleware(AsyncMiddleware):
    """Tells browsers what a page of ours may do: nothing inline, nothing from or to elsewhere.

    Every page and every failure's page gets it, those of Django and of Ninja too.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
            # Without it the server would send chunks, which HTTP/1.0 does not know.
            response.headers.setdefault("Content-Length", str(len(response.content)))
        if is_page(response):
            for name, value in SECURITY_HEADERS.items():
                response.headers.setdefault(name, value)
        return response


class KnownHostMiddleware(AsyncMiddleware):
    """People reach the server by a name of its own, or read which names it has.

    Django would find that out later: then each such request is an error with a traceback.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_known_host(request):
            return await self.get_response(request)
        error = UnknownHost("ALLOWED_HOSTS does not list the name")
        is_browser = "text/html" in request.headers.get("Accept", "")
        if request.path_info.startswith(API_PATHS) or not is_browser:
            return answer_app_error(request, error)
        record_refusal(request, error)
        return show_unknown_host(request, error)


class GuestLanguageMiddleware(AsyncMiddleware):
    """Guests read in the language of their phone; no cookie, no session, no thread hop."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/public/"):
            return await self.get_response(request)
        if not (request.path_info.startswith(PROVIDER_MEDIA_PATH) or has_known_host(request)):
            # Else a page elsewhere could give its name our address, and read a closed network.
            return answer_app_error(request, UnknownHost("ALLOWED_HOSTS does not list the name"))
        language = negotiate_language(request.headers.get("Accept-Language", ""))
        with translation.override(language):
            response = await self.get_response(request)
        if is_page(response):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ["Accept-Language"])
        return response


class ApiNotFoundMiddleware(AsyncMiddleware):
    """An address or a method that no operation has is answered like every other refusal.

    An operator who opens the booth's link in a browser, and a booth whose link was mistyped, read
    what is wrong; a program gets JSON from all of the API.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        # A photo posted to an address with a mistake in it; people's forms post to known ones.
        is_posted = request.method not in ("GET", "HEAD")
        is_unknown = request.resolver_match is None
        is_wrong = is_unknown or response.status_code == 405 or request.path_info == "/"
        if not (request.path_info.startswith(API_PATHS) or is_posted and is_wrong):
            return response
        error: AppError
        if is_unknown and response.status_code in (301, 404):
            error = PathNotFound(request.path_info[:200])
            if not request.path_info.startswith(API_PATHS):
                note_stray_photo(request)
        elif response.status_code == 405:
            error = MethodNotAllowed(f"{request.method} {request.path_info}"[:200])
        else:
            return response
        refusal = answer_app_error(request, error)
        if allowed := response.get("Allow"):
            refusal["Allow"] = allowed
        return refusal


class HtmxLoginMiddleware(AsyncMiddleware):
    """The login page never comes where a part of a page was asked for.

    The session is over: 401 and where to log in. What is being typed is the page's to keep.
    """

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        login = reverse("admin:login")
        is_sent_to_login = response.status_code == 302 and response["Location"].startswith(login)
        if not (is_sent_to_login and request.headers.get("HX-Request") == "true"):
            return response
        page = HtmxDetails(request).current_url_abs_path or reverse("admin:index")
        return HttpResponse(status=401, headers={"X-Login": f"{login}?{urlencode({'next': page})}"})


class DatabaseAwayMiddleware(AsyncMiddleware):
    """A page that cannot be made without the database says so, and what becomes of photos."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return await self.get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponseBase | None:
        if not isinstance(exc, AnyDatabaseError):
            return None
        if isinstance(exc, DataError):  # an address with what no row can hold, a zero for one
            return show_not_found(request, exc)
        log.error("http.page.database_failed", detail=type(exc).__name__)
        response = render(request, "console/database_away.html", status=503)
        response["Cache-Control"], response["Retry-After"] = "no-store", "5"
        return response


def has_known_host(request: HttpRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def is_page(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("text/html")
