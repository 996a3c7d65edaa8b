"""Google Gemini's image models: one call of ``generateContent``, JSON in and JSON out.

Facts and their sources are in the provider's fact sheet; the letters D (documented), C (seen in
code), R (reported) and M (measured) below are its confidence marks.
"""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack
from typing import Annotated, Any, Literal
from urllib.parse import quote

import orjson
import pybase64
from django.conf import settings as django_settings
from django.utils.translation import gettext_noop as _  # translated where a form is drawn
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from photochanger.errors import (
    BadResponse,
    ContentBlocked,
    ProviderAuth,
    ProviderConfig,
    ProviderError,
    ProviderQuota,
    ProviderRejected,
)
from providers import http
from providers.base import CallTrace, DriverSettings, ProviderDriver, ProviderRequest
from providers.catalogue import COMMON_RATIOS, DEFAULT_GEMINI_MODEL, GEMINI_BY_ID
from providers.pictures import Picture, Slices, UnreadablePicture, clean, sniff

BASE64_PIECE = 3 * 65536  # a multiple of 3: no padding inside
JSON_ROOM_BYTES = 64 * 1024  # prompt and settings, kept free below the service's cap
MAX_ERROR_BYTES = 256 * 1024  # of an error's body; it is read on the event loop
IDENTITY_CLAUSE = (
    "Keep every person of the photo recognisable: the same faces, facial features, age, skin tone, "
    "expression and number of people. Change only the style, the clothes' look and the "
    "surroundings as described above."
)
CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
THRESHOLDS = {  # [C] the SDK's types
    "standard": "BLOCK_MEDIUM_AND_ABOVE",
    "strict": "BLOCK_LOW_AND_ABOVE",
    "relaxed": "BLOCK_ONLY_HIGH",
    "off": "OFF",
}
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


class GeminiSettings(DriverSettings):
    """A slot's recipe for Gemini."""

    prompt: str = Field(
        min_length=1,
        max_length=4000,
        title=_("Prompt"),
        description=_("What to make of the photo: style, scene, light."),
    )
    model: str = Field(DEFAULT_GEMINI_MODEL, min_length=1, max_length=100, title=_("Model"))
    fallback_model: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        title=_("Second model"),
        description=_("Takes over from the third try on. Empty: none."),
    )
    keep_identity: bool = Field(
        True,
        title=_("Keep faces"),
        description=_("Adds to the prompt that every face and person must stay as they are."),
    )
    aspect_ratio: str | None = Field(
        None,
        pattern=r"^\d{1,2}:\d{1,2}$",
        title=_("Aspect ratio"),
        description=_("Empty: as the photo."),
    )
    image_size: Literal["512", "1K", "2K", "4K"] | None = Field(
        None, title=_("Picture size"), description=_("Empty: the model's own, usually 1K.")
    )
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] | None = Field(
        None, title=_("Thinking"), description=_("Empty: the fastest the model takes.")
    )
    safety: Literal["standard", "strict", "relaxed", "off"] = Field(
        "standard", title=_("Safety filter")
    )


class GeminiDriver(ProviderDriver[GeminiSettings]):
    name = "gemini"
    title = "Google Gemini"
    operations = {"image_edit": _("Edit by prompt")}
    Settings = GeminiSettings

    async def process(self, request: ProviderRequest[GeminiSettings]) -> Picture:
        request.trace.model = model = model_of(request)
        try:
            reply = await send(request)
        except UnreadablePicture as exc:
            raise ProviderRejected(f"the picture cannot be sent: {exc}") from exc
        request.trace.http_status = reply.status
        if reply.status != 200:
            raise explain(reply.status, reply.body, model=model)
        return await asyncio.to_thread(parse, reply.body, request.trace)


async def send(request: ProviderRequest[GeminiSettings]) -> http.Reply:
    pictures = await asyncio.to_thread(prepare, request)
    try:
        body = build(request, pictures)
        return await http.post(
            address(model_of(request)), headers=headers(request, body), content=body
        )
    finally:
        for picture in pictures:
            picture.close()


def model_of(request: ProviderRequest[GeminiSettings]) -> str:
    """The slot's model; from the second repeat on its second one, if it has one."""
    slot = request.settings
    return slot.fallback_model if slot.fallback_model and request.call_number > 2 else slot.model


def address(model: str) -> str:
    base, version = django_settings.GEMINI_BASE_URL, django_settings.GEMINI_API_VERSION
    # Quoted, so that a mistyped name is an unknown model and never another address.
    return f"{base}/{version}/models/{quote(plain_id(model), safe='')}:generateContent"


def plain_id(model: str) -> str:
    """Documents write both ``gemini-x`` and ``models/gemini-x``."""
    return model.removeprefix("models/")


# --- Build ---------------------------------------------------------------------------------------
class WireBody:
    """The JSON body as a stream: pictures become base64 only while they are sent.

    A 15 MB photo would stand in memory as 20 MB of base64 and again as JSON; so no more than
    256 KB of it ever does. httpx iterates once; a retry builds a new body.
    """

    def __init__(self, texts: list[bytes], pictures: list[Slices]) -> None:
        self._texts, self._pictures = texts, pictures
        self.size_bytes = sum(map(len, texts)) + sum(base64_size(p.size_bytes) for p in pictures)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for text, picture in zip(self._texts, self._pictures, strict=False):
            yield text
            # Read on the event loop on purpose: the file is in the page cache, and a thread hop
            # costs more than these 192 KB.
            for piece in picture.chunks(BASE64_PIECE):
                yield pybase64.b64encode(piece)
        yield self._texts[-1]


def base64_size(size_bytes: int) -> int:
    return (size_bytes + 2) // 3 * 4


def prepare(request: ProviderRequest[GeminiSettings]) -> list[Slices]:
    """Photo and references upright, clean and small enough together. Blocking.

    The service counts the whole request after base64. Documented are 20 MB and, since 2026-01,
    100 MB [D, sources disagree]; ours is the setting ``GEMINI_MAX_REQUEST_MB``.

    Raises UnreadablePicture, and StorageError when a picture made again finds no room on disk.
    """
    cap = django_settings.GEMINI_MAX_REQUEST_MB * 1024 * 1024 - JSON_ROOM_BYTES
    room = cap // 4 * 3
    with ExitStack() as made:  # closes what was made when a later picture fails
        references = []
        for reference in request.references:
            share = room // (2 * len(request.references))
            references.append(clean(reference.photo, max_bytes=share))
            made.callback(references[-1].close)
        left = room - sum(picture.size_bytes + 2 for picture in references)
        photo = clean(request.photo, max_bytes=left)
        made.pop_all()
    return [photo, *references]


def build(request: ProviderRequest[GeminiSettings], pictures: list[Slices]) -> WireBody:
    """The request of the sheet's section 3: photo first, references, then the text."""
    slot = request.settings
    hole = secrets.token_hex(16)  # stands where a picture's base64 will be
    parts: list[dict[str, Any]] = [
        {"inlineData": {"mimeType": picture.mime, "data": hole}} for picture in pictures
    ]
    parts.append({"text": prompt_text(request)})
    message = {
        "contents": [{"role": "user", "parts": parts}],
        # Without IMAGE alone, text-only answers were seen [R]. No systemInstruction, no
        # responseMimeType, no sampling fields: models answer 400 to some of them [C, R].
        "generationConfig": {"responseModalities": ["IMAGE"], **image_config(request)},
        "safetySettings": [
            {"category": f"HARM_CATEGORY_{name}", "threshold": THRESHOLDS[slot.safety]}
            for name in CATEGORIES
        ],
    }
    return WireBody(orjson.dumps(message).split(hole.encode()), pictures)


def image_config(request: ProviderRequest[GeminiSettings]) -> dict[str, Any]:
    slot, model = request.settings, GEMINI_BY_ID.get(plain_id(model_of(request)))
    image = {
        "aspectRatio": slot.aspect_ratio or own_ratio(request),
        "imageSize": slot.image_size,
    }
    image = {key: value for key, value in image.items() if value}
    thinking = slot.thinking_level or (model.fastest_thinking if model else "")
    config: dict[str, Any] = {"imageConfig": image} if image else {}
    if thinking:
        config["thinkingConfig"] = {"thinkingLevel": thinking}
    return config


def own_ratio(request: ProviderRequest[GeminiSettings]) -> str | None:
    """The photo's own ratio, said aloud only when references could be taken for it.

    Without ``aspectRatio`` the answer follows the input picture; of several, the last one [R].
    """
    if not request.references:
        return None
    photo = request.photo
    width, height = photo.width, photo.height
    if photo.orientation >= 5:  # these EXIF orientations swap the sides
        width, height = height, width

    def distance(ratio: str) -> float:
        across, down = map(int, ratio.split(":"))
        return abs(math.log(width / height * down / across))

    return min(COMMON_RATIOS, key=distance)


def prompt_text(request: ProviderRequest[GeminiSettings]) -> str:
    lines = [request.settings.prompt]
    if request.references:
        kinds = ", ".join(
            f"image {number} is a {reference.kind} reference"
            for number, reference in enumerate(request.references, start=2)
        )
        lines.append(f"Image 1 is the photo of the guests; {kinds}.")
    if request.settings.keep_identity:
        lines.append(IDENTITY_CLAUSE)
    return "\n\n".join(lines)


def headers(request: ProviderRequest[GeminiSettings], body: WireBody) -> dict[str, str]:
    return {
        "x-goog-api-key": request.api_key,  # never in the query: addresses end up in logs
        "content-type": "application/json",
        "content-length": str(body.size_bytes),  # else the stream would go out chunked
        "x-server-timeout": str(max(1, math.ceil(request.budget_s))),
    }


# --- Parse ---------------------------------------------------------------------------------------
def _or_empty(value: Any) -> Any:
    return [] if value is None else value


class _Wire(BaseModel):
    """camelCase and snake_case alike, unknown keys ignored: the service is ahead of our types."""

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
    parts: Annotated[list[_Part], BeforeValidator(_or_empty)] = []


class _Candidate(_Wire):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Feedback(_Wire):
    block_reason: str | None = None


class _Answer(_Wire):
    candidates: Annotated[list[_Candidate], BeforeValidator(_or_empty)] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: Any = None
    response_id: str | None = None


def parse(body: bytes, trace: CallTrace) -> Picture:
    """The last picture that is not a thought; everything else said goes into ``trace``.

    Raises BadResponse or ContentBlocked by the sheet's section 4. Blocking (base64 of megabytes).
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as exc:
        is_page = body[:100].lstrip().startswith(b"<")
        raise BadResponse(
            "a page instead of JSON" if is_page else "not the documented JSON",
            retryable=not is_page,
        ) from exc
    candidate = answer.candidates[0] if answer.candidates else _Candidate()
    trace.usage = _token_counts(answer.usage_metadata)
    trace.provider_request_id = _printable(answer.response_id, 100)
    trace.finish_reason = _printable(candidate.finish_reason, 50)
    parts = candidate.content.parts if candidate.content else []
    # Thinking models show interim pictures marked as thoughts, and of several final pictures the
    # last one is meant [D, R].
    shown = [part.inline_data for part in parts if part.inline_data and not part.thought]
    pictures = [blob.data for blob in shown if blob.data]
    if pictures:
        return _picture(pictures[-1])
    if answer.prompt_feedback and answer.prompt_feedback.block_reason:
        trace.finish_reason = _printable(answer.prompt_feedback.block_reason, 50)
        raise ContentBlocked(f"prompt blocked: {trace.finish_reason}")
    raise _no_picture(candidate, parts)


def _token_counts(usage: Any) -> dict[str, int]:
    """The totals of ``usageMetadata``; nothing else of it is fit for a database (NaN, NUL)."""
    if not isinstance(usage, dict):
        return {}
    return {
        _printable(name, 50): count
        for name, count in usage.items()
        if type(count) is int and 0 <= count < 2**31
    }


def _printable(text: str | None, limit: int) -> str:
    """Text from outside for rows and logs: no control characters, which databases refuse."""
    return "".join(sign if sign.isprintable() else " " for sign in (text or "")[:limit])


def _picture(data: str) -> Picture:
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


def _no_picture(candidate: _Candidate, parts: Iterable[_Part]) -> ProviderError:
    reason = candidate.finish_reason or "no finishReason"
    words = candidate.finish_message or " ".join(part.text for part in parts if part.text)
    detail = _printable(f"{reason}: {words}", 500)
    if reason in BLOCKED:
        return ContentBlocked(detail)
    if reason in RECITED:
        return ContentBlocked(detail, retryable=True)  # random: the next try usually passes [R]
    return BadResponse(detail, retryable=True)


# --- Errors --------------------------------------------------------------------------------------
def _dicts(value: Any) -> list[dict[str, Any]]:
    """Lists of objects are all that is read of an error; whatever else stands there is skipped."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _words(value: Any) -> str:
    return _printable(value, 500) if isinstance(value, str) else ""


class _ErrorBody(BaseModel, extra="ignore"):
    status: Annotated[str, BeforeValidator(_words)] = ""
    message: Annotated[str, BeforeValidator(_words)] = ""
    details: Annotated[list[dict[str, Any]], BeforeValidator(_dicts)] = []


def explain(status: int, body: bytes, *, model: str) -> ProviderError:
    """The error of an answer that is not 200, by the sheet's section 5."""
    error = _error_body(body)
    detail = f"HTTP {status} {error.status}: {error.message}"[:500]
    reasons = {str(item.get("reason", "")) for item in error.details}
    if status == 400 and "API_KEY_INVALID" in reasons:
        return ProviderAuth(detail)  # a wrong key comes as 400, not 401 [D]
    if status == 400 and error.status == "FAILED_PRECONDITION":
        return ProviderConfig(detail)  # location or billing
    if status == 404:
        return ProviderConfig(f"model {model} is retired or misspelt: {detail}"[:500])
    if status == 429:
        return _quota(error, detail)
    return http.failure_of(status, f"{error.status} {error.message}"[:500])


def _error_body(body: bytes) -> _ErrorBody:
    """The ``error`` object; also out of a one-element list [C], or empty when it is a page."""
    try:
        message = orjson.loads(body[:MAX_ERROR_BYTES])
        if isinstance(message, list):
            message = message[0]
        return _ErrorBody.model_validate(message["error"])
    except (orjson.JSONDecodeError, ValidationError, LookupError, TypeError):
        return _ErrorBody(message="no error object in the answer")


def _quota(error: _ErrorBody, detail: str) -> ProviderQuota:
    """A limit per minute passes; a daily one, or a model outside the plan, does not."""
    delay_s, lasting = None, "limit: 0" in error.message
    for item in error.details:
        if str(item.get("@type", "")).endswith("RetryInfo"):
            delay_s = _seconds(item.get("retryDelay"))
        for violation in _dicts(item.get("violations")):
            lasting = lasting or "PerDay" in str(violation.get("quotaId", ""))
    return ProviderQuota(
        detail, retryable=delay_s is not None and not lasting, retry_after_s=delay_s
    )


def _seconds(duration: Any) -> float | None:
    """``"33.7s"`` as seconds; None for anything else, as it is text from outside."""
    try:
        seconds = float(str(duration).removesuffix("s"))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86400 else None
