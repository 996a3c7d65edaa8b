"""The NinjaAPI, and the one place where failures become HTTP responses."""

import json
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import Swagger
from ninja.renderers import JSONRenderer

from ingest.admin_api import console_router, purge_router
from ingest.api import ingest_router, jobs_router, short_router
from ingest.refusals.errors import DatabaseAway
from ingest.refusals.recording import note_refusal
from media.api import public_router
from media.views import guest_router, render_error_page, wants_html_page
from photochanger import metrics
from photochanger.edge.language import negotiate_language
from photochanger.errors import (
    AppError,
    InternalError,
    InvalidFields,
    InvalidRequest,
    PayloadTooLarge,
)
from photochanger.logs.strangers import refusal_lines
from photochanger.parsing import group_address
from photochanger.web.login import login_router
from photochanger.web.parser import StrictJsonParser
from photochanger.web.tokens import AdminAuth
from slots.api import (
    media_router,
    providers_router,
    settings_router,
    slots_router,
    template_media_router,
)
from slots.approval.views import approval_router
from slots.gallery.views import gallery_router
from slots.letters.views import letters_router
from slots.look.views import look_router
from slots.validation_messages import messages_by_field
from stats.api import stats_router

log = structlog.get_logger()

DESCRIPTION = """\
A photo booth posts a photo to a slot, waits, and prints the picture that comes back in the same
answer.

Every refusal and failure is JSON: `failure_reason` is a stable word for programs, `details` one
sentence for people in the language of `Accept-Language` (Russian or English).
"""


class ReadableJsonRenderer(JSONRenderer):
    """Russian sentences in letters: a booth's log shows what it got."""

    json_dumps_params = {"ensure_ascii": False}

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        # Half a character, which a name as sent may hold, is no text to send.
        text = super().render(request, data, response_status=response_status)
        return str(text).encode("utf-8", "replace")


api = NinjaAPI(
    renderer=ReadableJsonRenderer(),
    parser=StrictJsonParser(),
    title="PhotoChanger",
    version=json.loads((settings.BASE_DIR / "spec/contracts/VERSION.json").read_text())["version"],
    description=DESCRIPTION,
    docs=Swagger(settings={"validatorUrl": None}),  # else a public server may validate it
    urls_namespace="api",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
)
api.add_router("/api/login", login_router)
api.add_router("/api/ingest", ingest_router)
api.add_router("/ingest", short_router)
api.add_router("/api/jobs", jobs_router)
api.add_router("/public", public_router)
api.add_router("/public", guest_router)
api.add_router("/public", gallery_router)
api.add_router("/public", approval_router)
api.add_router("/public", letters_router)
api.add_router("/public", look_router)
api.add_router("/api/stats", stats_router, auth=AdminAuth())
for prefix, router in (
    ("/api/slots", slots_router),
    ("/api/template-media", template_media_router),
    ("/api/media", media_router),
    ("/api/settings", settings_router),
    ("/api/providers", providers_router),
    ("/api/slots", console_router),
    ("/api/purge", purge_router),
):
    api.add_router(prefix, router, auth=AdminAuth())


@api.exception_handler(AppError)
def answer_app_error(request: HttpRequest, exc: AppError) -> HttpResponse:
    record_refusal(request, exc)
    if wants_html_page(request):
        return render_error_page(request, exc)
    language = negotiate_language(request.headers.get("Accept-Language", ""))
    response = api.create_response(request, exc.to_json(language), status=exc.status)
    for name, value in exc.headers.items():
        response[name] = value
    response["Content-Length"] = str(len(response.content))
    return response


def record_refusal(request: HttpRequest, exc: AppError) -> None:
    """In the log, the metrics, and for booths in the operators' list."""
    metrics.count_refusal(status=exc.status, reason=exc.reason)
    note_refusal(request, exc)
    # What no job tells of, anybody can cause, as often as they like.
    omitted: int | None = 0
    if exc.status < 500 and exc.job_id is None:
        omitted = refusal_lines.admit(group_address(request.META.get("REMOTE_ADDR", "")))
    if omitted is None:
        return
    level = log.error if exc.status == 500 else log.warning
    more = {"omitted": omitted} if omitted else {}
    facts = {"status": exc.status, "reason": exc.reason, "detail": str(exc), "job": exc.job_id}
    level("http.refused", **facts, **more)


@api.exception_handler(ValidationError)
def answer_validation_error(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    """Name each field by its own path, without the body and the view's argument."""
    fields = messages_by_field(
        {**error, "loc": _strip_location(error["loc"])} for error in exc.errors
    )
    return answer_app_error(request, InvalidFields(fields))


def _strip_location(parts: tuple[int | str, ...]) -> tuple[int | str, ...]:
    return parts[2:] if parts[0] == "body" else parts[1:]


@api.exception_handler(HttpError)  # Ninja's own, for a body that is not JSON
def answer_unreadable_body(request: HttpRequest, exc: HttpError) -> HttpResponse:
    return answer_app_error(request, InvalidFields({"": _("This is not JSON.")}))


@api.exception_handler(MultiPartParserError)
@api.exception_handler(SuspiciousOperation)  # a thousand form fields, and the like
def answer_unreadable_form(request: HttpRequest, exc: Exception) -> HttpResponse:
    return answer_app_error(request, InvalidRequest(f"{type(exc).__name__}: {exc}"[:200]))


@api.exception_handler(RequestDataTooBig)  # Django's, for a form or JSON, not for a photo
def answer_too_large_body(request: HttpRequest, exc: RequestDataTooBig) -> HttpResponse:
    return answer_app_error(request, PayloadTooLarge(str(exc)))


@api.exception_handler(AnyDatabaseError)  # InterfaceError, a lost connection, is no DatabaseError
def answer_database_error(request: HttpRequest, exc: AnyDatabaseError) -> HttpResponse:
    log.exception("http.database_failed")
    return answer_app_error(request, DatabaseAway(type(exc).__name__))


@api.exception_handler(DataError)
def answer_impossible_value(request: HttpRequest, exc: DataError) -> HttpResponse:
    """What no row can hold: the database is well, and asked in vain."""
    return answer_app_error(request, InvalidRequest(f"the database: {str(exc)[:200]}"))


@api.exception_handler(Exception)
def answer_bug(request: HttpRequest, exc: Exception) -> HttpResponse:
    log.exception("http.crashed")
    return answer_app_error(request, InternalError(type(exc).__name__))
