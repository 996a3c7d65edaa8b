"""Measure the ways of a photo with real bytes: booth to server and back, server to service.

The browser stands in for the booth: the page is opened in its hall. Nothing of it is stored.
"""

import math
import os

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ingest.readiness.links import judge_booth_link, judge_service_link
from ingest.readiness.result import FAIL, WARN, CheckResult
from photochanger.db import in_db
from photochanger.errors import AppError
from providers.link import measure_upload
from providers.registry import DRIVERS
from slots.console.async_views import async_admin_view
from slots.provider_keys import load_provider_key

MAX_BYTES = 4 * 1024 * 1024
READ_BYTES = 64 * 1024
MAX_BYTES_PER_S = 1e10


@require_http_methods(["GET", "POST"])
def link_bytes(request: HttpRequest) -> HttpResponse:
    """POST: takes the bytes and drops them. GET: as many as asked for, which nothing can pack."""
    if request.method == "POST":
        while request.read(READ_BYTES):
            pass
        return HttpResponse(status=204)
    asked = request.GET.get("bytes", "")
    if not asked.isdecimal() or len(asked) > 9 or int(asked) > MAX_BYTES:
        return HttpResponse(status=400)
    return HttpResponse(os.urandom(int(asked)), content_type="application/octet-stream")


@require_GET
def link_verdict(request: HttpRequest) -> HttpResponse:
    """What the browser has measured, in words."""
    up, down = (_read_rate(request.GET.get(name, "")) for name in ("up", "down"))
    if up is None or down is None:
        return HttpResponse(status=400)
    return _show(request, judge_booth_link(up, down))


def _read_rate(text: str) -> float | None:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if math.isfinite(rate) and 0 < rate <= MAX_BYTES_PER_S else None


@async_admin_view
async def link_to_service(request: HttpRequest, provider: str) -> HttpResponse:
    if provider not in DRIVERS or request.method != "POST":
        raise Http404
    return await in_db(_show, request, await _judge_service(provider))


async def _judge_service(provider: str) -> CheckResult:
    try:
        key = await in_db(load_provider_key, provider)
        speed = await measure_upload(DRIVERS[provider], key)
    except AppError as exc:
        return CheckResult(FAIL, str(exc.sentence))
    except TimeoutError:
        words = _("A megabyte did not get to the service within half a minute.")
        to_do = _("Look at the server's internet connection, or at the proxy to the service.")
        return CheckResult(FAIL, words, to_do)
    if speed is None:
        words = _("The service fetches photos itself: a real test photo shows how long that takes.")
        return CheckResult(WARN, words)
    return judge_service_link(speed)


def _show(request: HttpRequest, verdict: CheckResult) -> HttpResponse:
    return render(request, "ingest/console/_check_result.html", {"verdict": verdict})
