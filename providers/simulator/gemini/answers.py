"""The JSON of Gemini's answers: envelope, parts, usage, errors."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any

from providers.simulator import pictures
from providers.simulator.gemini.contract import BAD_PICTURE, GenerateRequest, Refusal
from providers.simulator.gemini.models import (
    DEFAULT,
    MODELS,
    choose_output_size,
    count_image_tokens,
    count_input_tokens,
)
from providers.simulator.people import Mistake, make_mistake
from providers.simulator.scenario_choice import strip_markers
from providers.simulator.wire import Answer, make_json_answer

Json = dict[str, Any]
DEFAULT_PEOPLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The input of an answer. ``number`` is the one in ``[sim:name=number]``; ``bill`` is filled
    with the tokens that the answer charges."""

    model: str
    request: GenerateRequest = field(default_factory=GenerateRequest)
    number: float | None = None
    plain: bool = False
    detail_px: int = pictures.DETAIL_PX
    bill: dict[str, int] = field(default_factory=dict)

    @property
    def billed_model(self) -> str:
        """The model named in the answer: for a scenario's name, the default model."""
        return self.model if self.model in MODELS else DEFAULT


def draw(
    work: Work,
    file_format: str = "JPEG",
    size: tuple[int, int] | None = None,
    mistake: Mistake | None = None,
) -> bytes:
    """The picture asked for; ``size`` overrides the request's.

    A ``mistake`` is made of the photo's people; the number in the marker says how many they are.
    """
    if work.plain:
        return pictures.make_noisy_png()
    request = work.request
    box = size or choose_output_size(work.billed_model, request.ratio, request.image_size)
    photos = [picture.body for picture in request.pictures if picture.size]
    try:
        if mistake and photos:
            photos[0] = make_mistake(photos[0], mistake, int(work.number or DEFAULT_PEOPLE))
        prompt = strip_markers(request.prompt)
        image = pictures.stylise_photo(
            photos, box, title=work.model, prompt=prompt, detail_px=work.detail_px
        )
    except (OSError, SyntaxError) as exc:  # a valid header and a damaged body
        raise Refusal(BAD_PICTURE) from exc
    return pictures.encode_image(image, file_format)


def make_picture_part(body: bytes, mime: str = "image/jpeg", **more: Any) -> Json:
    data = base64.b64encode(body).decode()
    return {"inlineData": {"mimeType": mime, "data": data}, **more}


def make_signed_part(body: bytes, mime: str = "image/jpeg") -> Json:
    """A final picture: it carries a signature, which only a continued conversation needs."""
    return make_picture_part(body, mime, thoughtSignature=base64.b64encode(body[:48]).decode())


def build_success(work: Work, *parts: Json, finish: str = "STOP") -> Json:
    content = {"role": "model", "parts": list(parts)}
    candidate = {"content": content, "finishReason": finish, "index": 0}
    has_picture = any("inlineData" in part for part in parts)
    return make_envelope(work, candidates=[candidate], has_picture=has_picture)


def make_envelope(work: Work, *, has_picture: bool = False, **first: Any) -> Json:
    return {
        **first,
        "usageMetadata": _count_usage(work, has_picture=has_picture),
        "modelVersion": work.billed_model,
        "responseId": secrets.token_urlsafe(12),
    }


def answer_refused_picture(work: Work, finish: str, message: str = "") -> Answer:
    """A 200 whose only candidate has no content."""
    candidate: Json = {"finishReason": finish, "index": 0}
    if message:
        candidate["finishMessage"] = message
    return make_json_answer(make_envelope(work, candidates=[candidate]))


def build_error(code: int, status: str, message: str, *details: Json) -> Json:
    body: Json = {"code": code, "message": message, "status": status}
    if details:
        body["details"] = list(details)
    return {"error": body}


def answer_quota(message: str, quota_id: str, value: str, delay: str = "") -> Answer:
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
        "quotaId": quota_id,
        "quotaDimensions": {"model": DEFAULT, "location": "global"},
        "quotaValue": value,
    }
    link = {
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    details: list[Json] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [link]},
    ]
    if delay:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
        details.append(retry)
    return make_json_answer(build_error(429, "RESOURCE_EXHAUSTED", message, *details), 429)


def _count_usage(work: Work, *, has_picture: bool) -> Json:
    text = max(1, len(work.request.prompt) // 4)
    photos = len(work.request.pictures) * count_input_tokens(work.billed_model)
    made = count_image_tokens(work.billed_model, work.request.image_size) if has_picture else 0
    thoughts = 109 if made and MODELS[work.billed_model].thinks else 0
    work.bill.update(text=text, photos=photos, made=made, thoughts=thoughts)
    usage: Json = {
        "promptTokenCount": text + photos,
        "candidatesTokenCount": made,
        "totalTokenCount": text + photos + made + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": text}],
    }
    if photos:
        usage["promptTokensDetails"].append({"modality": "IMAGE", "tokenCount": photos})
    if made:
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": made}]
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    return usage
