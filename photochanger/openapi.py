"""The API's OpenAPI document: failures as responses, and the keys of bodies that come back."""

from collections.abc import Mapping
from typing import Any

from ninja import Field, Schema
from pydantic import BaseModel

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


def error_responses(
    *reasons: str, fields: Mapping[str, str] | None = None
) -> dict[int, dict[str, Any]]:
    """These failures as OpenAPI responses: one per status, with each reason and its body.

    ``fields``: example messages of ``invalid_request`` by field, where a form or JSON is taken.
    The schema ErrorOut is only referred to; some operation must have it among its responses.
    """
    kinds = [ERROR_BY_REASON[reason] for reason in reasons]
    responses: dict[int, dict[str, Any]] = {}
    for status in sorted({kind.status for kind in kinds}):
        bodies = [_make_example(kind, fields) for kind in kinds if kind.status == status]
        examples = {str(body["failure_reason"]): {"value": body} for body in bodies}
        responses[status] = {
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
            responses[status]["headers"] = {
                "Retry-After": {
                    "description": "Seconds to wait, when they are known.",
                    "schema": {"type": "integer", "minimum": 1},
                }
            }
    return responses


def _make_example(kind: type[AppError], fields: Mapping[str, str] | None) -> dict[str, object]:
    if kind is InvalidRequest and fields:
        return InvalidFields(fields).to_json("en")
    error = kind(retry_after_s=3) if kind in WITH_RETRY_AFTER else kind()
    if issubclass(kind, ProviderError):
        error.job_id = EXAMPLE_JOB
    return error.to_json("en")


def drop_default(schema: dict[str, Any]) -> None:
    """Absent keys keep their values: there is no default to show."""
    schema.pop("default", None)


def allow_absent(description: str, **more: Any) -> Any:
    """A key that may be absent."""
    return Field(default=None, description=description, json_schema_extra=drop_default, **more)


def allow_read_only_keys(schema: dict[str, Any], answer: type[Schema]) -> None:
    """What a GET answers may be sent back whole: its other keys are taken, and ignored."""
    ignored = {"readOnly": True, "description": "As answered: ignored."}
    for name in answer.model_fields:
        schema["properties"].setdefault(name, ignored)


def drop_read_only(values: Any, taken: type[BaseModel], answer: type[Schema]) -> Any:
    """What came, without what only the answer holds."""
    if not isinstance(values, dict):
        return values
    only_read = answer.model_fields.keys() - taken.model_fields.keys()
    return {name: value for name, value in values.items() if name not in only_read}
