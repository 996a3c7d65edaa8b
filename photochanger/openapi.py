"""Failures as the API's description tells of them."""

from collections.abc import Mapping
from typing import Any

from photochanger.errors import (
    ERROR_BY_REASON,
    AppError,
    InvalidFields,
    InvalidRequest,
    ProviderError,
    ProviderQuota,
    RateLimited,
    Throttled,
)

EXAMPLE_JOB = "0b5e6a1c-6f0e-4c55-9d0a-6f1f1c6a2b37"
WITH_RETRY_AFTER = (RateLimited, Throttled, ProviderQuota)


def described(*reasons: str, fields: Mapping[str, str] | None = None) -> dict[int, dict[str, Any]]:
    """These failures as OpenAPI responses: one per status, with each word and its body.

    ``fields``: an example of what ``invalid_request`` says field by field, where a form or JSON is
    taken. The schema ErrorOut is named only; some operation must have it among its responses.
    """
    kinds = [ERROR_BY_REASON[reason] for reason in reasons]
    answers: dict[int, dict[str, Any]] = {}
    for status in sorted({kind.status for kind in kinds}):
        bodies = [_example(kind, fields) for kind in kinds if kind.status == status]
        examples = {str(body["failure_reason"]): {"value": body} for body in bodies}
        answers[status] = {
            "description": "\n".join(
                f"- `{body['failure_reason']}`: {body['details']}" for body in bodies
            ),
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ErrorOut"},
                    "examples": examples,
                }
            },
        }
        if any("retry_after" in body for body in bodies):
            answers[status]["headers"] = {
                "Retry-After": {
                    "description": "Seconds to wait, when they are known.",
                    "schema": {"type": "integer", "minimum": 1},
                }
            }
    return answers


def _example(kind: type[AppError], fields: Mapping[str, str] | None) -> dict[str, object]:
    if kind is InvalidRequest and fields:
        return InvalidFields(fields).answer("en")
    error = kind(retry_after_s=3 if kind in WITH_RETRY_AFTER else None)
    if issubclass(kind, ProviderError):
        error.job_id = EXAMPLE_JOB
    return error.answer("en")
