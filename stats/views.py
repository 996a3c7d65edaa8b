from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation

from photochanger.errors import AppError, Unauthorized
from stats.health import report
from stats.metrics import CONTENT_TYPE, exposition
from stats.metrics_access import check_scraper


async def livez(request: HttpRequest) -> HttpResponse:
    """The process runs and answers; nothing else is looked at."""
    return HttpResponse("ok", content_type="text/plain")


async def healthz(request: HttpRequest) -> HttpResponse:
    """Whether photos can be taken in, and how each part is; within a second.

    503 when they cannot. A part that is only worth a look leaves it at 200, so that no load
    balancer takes every server out when a provider is down; ``?strict=1`` says 503 then too.
    """
    health = await report()
    is_fine = health.is_ok if request.GET.get("strict") else health.is_up
    return _never_kept(JsonResponse(health.told(), status=200 if is_fine else 503))


def metrics(request: HttpRequest) -> HttpResponse:
    try:
        check_scraper(request)
    except Unauthorized as exc:
        return _refusal(exc)
    return _never_kept(HttpResponse(exposition(), content_type=CONTENT_TYPE))


def _refusal(error: AppError) -> HttpResponse:
    body: dict[str, Any] = error.to_json(translation.get_language())
    return JsonResponse(body, status=error.status, headers=error.headers)


def _never_kept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
