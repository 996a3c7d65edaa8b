"""django-prometheus's figures of pages and the JSON API, at no cost for a photo.

Its own middlewares would send each request through six thread hops. Ours count on the event loop,
where a counter takes microseconds, and let machines and guests pass by.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django_prometheus.middleware import PrometheusAfterMiddleware, PrometheusBeforeMiddleware

from photochanger.web.middleware import MACHINE_PATHS


def is_counted(request: HttpRequest) -> bool:
    return not request.path_info.startswith(MACHINE_PATHS)


class _WithoutThreads:
    """Mixed into a Django middleware: its synchronous steps run on the event loop."""

    async_capable, sync_capable = True, False
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]
    process_request: Callable[[HttpRequest], None]
    process_response: Callable[[HttpRequest, HttpResponseBase], HttpResponseBase]

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_counted(request):
            return await self.get_response(request)
        self.process_request(request)
        return self.process_response(request, await self.get_response(request))


class BeforeAll(_WithoutThreads, PrometheusBeforeMiddleware):  # type: ignore[misc]
    pass


class AfterAll(_WithoutThreads, PrometheusAfterMiddleware):  # type: ignore[misc]
    """Django looks for these steps by name, and gives a synchronous one a thread."""

    async def process_view(self, request: HttpRequest, *view: Any) -> None:
        if is_counted(request):
            super().process_view(request, *view)

    async def process_template_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return response

    async def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if is_counted(request):
            super().process_exception(request, exception)
