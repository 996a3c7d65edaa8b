"""An address or a method that no operation has is answered like every other refusal.

An operator who opens the booth's link in a browser, and a booth whose link was mistyped, read what
is wrong; a program gets JSON from all of the API.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from photochanger.api import answer_app_error
from photochanger.errors import AppError, MethodNotAllowed, PathNotFound

API_PATHS = ("/api/", "/ingest/", "/public/")


class Unrouted:
    async_capable, sync_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        if not request.path_info.startswith(API_PATHS):
            return response
        error: AppError
        if response.status_code == 404 and request.resolver_match is None:
            error = PathNotFound(request.path_info[:200])
        elif response.status_code == 405:
            error = MethodNotAllowed(f"{request.method} {request.path_info}"[:200])
        else:
            return response
        refusal = answer_app_error(request, error)
        if allowed := response.get("Allow"):
            refusal["Allow"] = allowed
        return refusal
