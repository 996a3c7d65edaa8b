"""Parse Gemini's responses: the picture, or which failure it is. Pure functions of bytes.

The tables are those of "Answer" and "Errors" in spec/providers/gemini.md, and so are the marks.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import orjson
import pybase64
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
)
from photochanger.parsing import make_printable
from providers import http
from providers.base import CallTrace
from providers.pictures import Picture, sniff

MAX_ERROR_BYTES = 256 * 1024  # of an error's body; it is read on the event loop
BLOCKED = {
    "SAFETY",
    "IMAGE_SAFETY",
    "PROHIBITED_CONTENT",
    "IMAGE_PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "LANGUAGE",
}
RECITED = {"RECITATION", "IMAGE_RECITATION"}


def _replace_null(value: Any) -> Any:
    return [] if value is None else value


class _Wire(BaseModel):
    """Accepts camelCase and snake_case, ignores unknown keys, which the service adds."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # it holds somebody's picture
    )


class _Blob(_Wire):
    data: str | None = None


class _Part(_Wire):
    text: str | None = None
    thought: bool | None = None
    inline_data: _Blob | None = None


class _Content(_Wire):
    parts: Annotated[list[_Part], BeforeValidator(_replace_null)] = []


class _Candidate(_Wire):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _PromptFeedback(_Wire):
    block_reason: str | None = None


class _Response(_Wire):
    candidates: Annotated[list[_Candidate], BeforeValidator(_replace_null)] = []
    prompt_feedback: _PromptFeedback | None = None
    usage_metadata: Any = None
    response_id: str | None = None


def parse_picture(body: bytes, trace: CallTrace) -> Picture:
    """The last picture that is not a thought; everything else goes into ``trace``.

    Raises BadResponse or ContentBlocked, by "Answer" in that file. Blocking (base64 of megabytes).
    """
    try:
        answer = _Response.model_validate_json(body)
    except ValidationError as exc:
        is_page = body[:100].lstrip().startswith(b"<")
        raise BadResponse(
            "a page instead of JSON" if is_page else "not the documented JSON",
            retryable=not is_page,
        ) from exc
    candidate = answer.candidates[0] if answer.candidates else _Candidate()
    trace.usage = _select_token_counts(answer.usage_metadata)
    trace.provider_request_id = make_printable(answer.response_id or "", 100)
    trace.finish_reason = make_printable(candidate.finish_reason or "", 50)
    parts = candidate.content.parts if candidate.content else []
    # Thinking models send interim pictures marked as thoughts, and of several final pictures the
    # last one is the result [D, R].
    shown = [part.inline_data for part in parts if part.inline_data and not part.thought]
    pictures = [blob.data for blob in shown if blob.data]
    if pictures:
        return _decode_picture(pictures[-1])
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        trace.finish_reason = make_printable(answer.prompt_feedback.block_reason, 50)
        raise ContentBlocked(f"prompt blocked: {trace.finish_reason}")
    raise _explain_missing_picture(candidate, parts)


class _Model(_Wire):
    name: str = ""


class _Models(_Wire):
    models: Annotated[list[_Model], BeforeValidator(_replace_null)] = []


def parse_models(body: bytes) -> frozenset[str]:
    """The models' ids in the list of models [D]. Raises BadResponse."""
    try:
        listed = _Models.model_validate_json(body).models
    except ValidationError as exc:
        raise BadResponse("not the list of models") from exc
    if not listed:
        raise BadResponse("an empty list of models")
    return frozenset(model.name.removeprefix("models/") for model in listed)


def _select_token_counts(usage: Any) -> dict[str, int]:
    """The totals of ``usageMetadata``; nothing else of it can be stored safely (NaN, NUL)."""
    if not isinstance(usage, dict):
        return {}
    return {
        make_printable(name, 50): count
        for name, count in usage.items()
        if type(count) is int and 0 <= count < 2**31
    }


def _decode_picture(data: str) -> Picture:
    """Decode base64 of either alphabet, padded or not [M: the SDK sends the URL-safe one]."""
    data = data.replace("-", "+").replace("_", "/")
    try:
        body = pybase64.b64decode(data + "=" * (-len(data) % 4), validate=True)
    except ValueError as exc:
        raise BadResponse("the picture is not base64", retryable=True) from exc
    mime = sniff(body[:16])  # the declared type has been wrong before [R]
    if mime is None:
        raise BadResponse("the picture is neither JPEG, PNG nor WEBP", retryable=False)
    return Picture(body=body, mime=mime)


def _explain_missing_picture(candidate: _Candidate, parts: Iterable[_Part]) -> ProviderError:
    reason = candidate.finish_reason or "no finishReason"
    words = candidate.finish_message or " ".join(part.text for part in parts if part.text)
    detail = make_printable(f"{reason}: {words}", 500)
    if reason in BLOCKED:
        return ContentBlocked(detail)
    if reason in RECITED:
        return ContentBlocked(detail, retryable=True)  # random: the next try usually passes [R]
    return BadResponse(detail, retryable=True)


def _select_dicts(value: Any) -> list[dict[str, Any]]:
    """Only lists of objects are read of an error; any other value is skipped."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _clean_text(value: Any) -> str:
    return make_printable(value, 500) if isinstance(value, str) else ""


class _ErrorBody(BaseModel, extra="ignore"):
    status: Annotated[str, BeforeValidator(_clean_text)] = ""
    message: Annotated[str, BeforeValidator(_clean_text)] = ""
    details: Annotated[list[dict[str, Any]], BeforeValidator(_select_dicts)] = []


def explain_error(status: int, body: bytes, *, model: str) -> ProviderError:
    """The error of an answer that is not 200, see "Errors" in spec/providers/gemini.md."""
    error = _parse_error(body)
    detail = f"HTTP {status} {error.status}: {error.message}"[:500]
    reasons = {str(item.get("reason", "")) for item in error.details}
    if status == 400 and "API_KEY_INVALID" in reasons:
        return ProviderAuth(detail)  # a wrong key comes as 400, not 401 [D]
    if status == 400 and error.status == "FAILED_PRECONDITION":
        return ProviderConfig(detail)  # location or billing
    if status == 404:
        return ProviderConfig(f"model {model} is retired or misspelt: {detail}"[:500])
    if status == 429:
        return _explain_quota(error, detail)
    return http.error_for_status(status, f"{error.status} {error.message}"[:500])


def _parse_error(body: bytes) -> _ErrorBody:
    """The ``error`` object; also out of a one-element list [C], or empty when it is a page."""
    try:
        message = orjson.loads(body[:MAX_ERROR_BYTES])
        if isinstance(message, list):
            message = message[0]
        return _ErrorBody.model_validate(message["error"])
    except (orjson.JSONDecodeError, ValidationError, LookupError, TypeError):
        return _ErrorBody(message="no error object in the answer")


def _explain_quota(error: _ErrorBody, detail: str) -> ProviderQuota:
    """A limit per minute is retryable; a daily one, or a model outside the plan, is not."""
    delay_s, lasting = None, "limit: 0" in error.message
    for item in error.details:
        if str(item.get("@type", "")).endswith("RetryInfo"):
            delay_s = _parse_duration(item.get("retryDelay"))
        for violation in _select_dicts(item.get("violations")):
            lasting = lasting or "PerDay" in str(violation.get("quotaId", ""))
    return ProviderQuota(
        detail, retryable=delay_s is not None and not lasting, retry_after_s=delay_s
    )


def _parse_duration(duration: Any) -> float | None:
    """``"33.7s"`` as seconds; None for anything else, as it is text from outside."""
    try:
        seconds = float(str(duration).removesuffix("s"))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None
