from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views.decorators.http import require_safe

from photochanger.errors import AppError, Unauthorized
from photochanger.leaving import is_leaving
from stats.health import check_health
from stats.metrics import CONTENT_TYPE, generate_exposition
from stats.metrics_access import check_metrics_access


@require_safe
async def livez(request: HttpRequest) -> HttpResponse:
    """The process runs and responds; nothing else is checked.

    503 while it is about to stop: it still serves, and a front server sends no more.
    """
    if is_leaving.is_set():
        return HttpResponse("stopping", content_type="text/plain; charset=utf-8", status=503)
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@require_safe
async def healthz(request: HttpRequest) -> HttpResponse:
    """Whether photos can be taken in, and how each part is; within a second.

    503 when they cannot. A part that only needs attention leaves it at 200, so that no load
    balancer takes every server out when a provider is down; ``?strict=1`` makes that 503 too.
    """
    health = await check_health()
    is_fine = health.is_ok if request.GET.get("strict") else health.is_up
    return _forbid_caching(JsonResponse(health.to_json(), status=200 if is_fine else 503))


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    try:
        check_metrics_access(request)
    except Unauthorized as exc:
        return _make_refusal(exc)
    return _forbid_caching(HttpResponse(await generate_exposition(), content_type=CONTENT_TYPE))


def _make_refusal(error: AppError) -> HttpResponse:
    body: dict[str, Any] = error.to_json(translation.get_language())
    return JsonResponse(body, status=error.status, headers=error.headers)


def _forbid_caching(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
