"""The one NinjaAPI, and the one place where failures become HTTP answers."""

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

from ingest.api import ingest_router, jobs_router
from media.api import public_router
from photochanger.errors import AppError, InternalError, InvalidRequest, StorageError
from photochanger.middleware import language_of

log = structlog.get_logger()

api = NinjaAPI(
    title="PhotoChanger",
    version="1.0.0",
    urls_namespace="api",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
)
api.add_router("/api/ingest", ingest_router)
api.add_router("/ingest", ingest_router, url_name_prefix="short")
api.add_router("/api/jobs", jobs_router)
api.add_router("/public", public_router)


@api.exception_handler(AppError)
def answer_app_error(request: HttpRequest, exc: AppError) -> HttpResponse:
    level = log.error if exc.status == 500 else log.warning
    level("http.refused", status=exc.status, reason=exc.reason, detail=str(exc), job=exc.job_id)
    language = language_of(request.headers.get("Accept-Language", ""))
    response = api.create_response(request, exc.answer(language), status=exc.status)
    for name, value in exc.headers().items():
        response[name] = value
    response["Content-Length"] = str(len(response.content))
    return response


@api.exception_handler(ValidationError)
def answer_validation_error(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    places = [".".join(map(str, error["loc"])) for error in exc.errors]
    return answer_app_error(request, InvalidRequest(f"not valid: {places}"))


@api.exception_handler(DatabaseError)
def answer_database_error(request: HttpRequest, exc: DatabaseError) -> HttpResponse:
    log.exception("http.database_failed")
    return answer_app_error(request, StorageError(type(exc).__name__))


@api.exception_handler(Exception)
def answer_bug(request: HttpRequest, exc: Exception) -> HttpResponse:
    log.exception("http.broke")
    return answer_app_error(request, InternalError(type(exc).__name__))
