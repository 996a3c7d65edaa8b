"""Gemini's answers: pictures in every packing, failures in every shape, lists of models."""

import base64
import io
import random
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image

from photochanger.errors import ProviderError
from photochanger.testing.fuzz.answers import HEADERS, STATUSES, check_error, check_trace
from photochanger.testing.fuzz.json_trees import bend_json, write_json
from photochanger.testing.fuzz.target import MB, Target, derive_random
from providers.base import CallTrace
from providers.gemini import answer
from providers.gemini.driver import GeminiDriver
from providers.unpacking import unpack

MAX_BYTES = 16 * MB
DRIVER = GeminiDriver()


@cache
def list_pictures() -> tuple[str, ...]:
    """In base64."""
    found = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF"):
        out = io.BytesIO()
        Image.radial_gradient("L").resize((72, 72)).convert("RGB").save(out, kind)
        found.append(base64.b64encode(out.getvalue()).decode())
    return (*found, found[0][:500], found[1].replace("+", "-").replace("/", "_"), "!", "/9j/4AAQ")


@cache
def _list_answers() -> tuple[Any, ...]:
    png, jpeg, *_ = list_pictures()
    blob = {"inlineData": {"mimeType": "image/png", "data": png}}
    usage = {
        "promptTokenCount": 1300,
        "candidatesTokenCount": 1290,
        "totalTokenCount": 2590,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
    }
    first = {
        "content": {"role": "model", "parts": [{"text": "Here"}, blob]},
        "finishReason": "STOP",
    }
    end = {"usageMetadata": usage, "modelVersion": "gemini", "responseId": "abc"}
    thought = {"thought": True, **blob}
    link = {"fileData": {"fileUri": f"data:image/jpeg;base64,{jpeg}"}}
    error = {"code": 429, "message": "Please retry in 3.5s.", "status": "RESOURCE_EXHAUSTED"}
    details = [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"},
        {"violations": [{"quotaId": "PerDay", "quotaValue": "0"}], "reason": "API_KEY_INVALID"},
    ]
    raw = '{"error": {"code": 404, "status": "NOT_FOUND"}}'
    return (
        {"candidates": [first], **end},
        {"candidates": [{"content": {"parts": [thought, blob, blob]}, "finishReason": "STOP"}]},
        {"candidates": [{"content": {"parts": [thought]}, "finishReason": "STOP"}], **end},
        {"candidates": [{"finishReason": "IMAGE_SAFETY", "finishMessage": "Unable to show"}]},
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **end},
        [{"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, {"candidates": [first], **end}],
        {"candidates": [{"content": {"parts": [link]}}]},
        {"candidates": [{"content": {"parts": [{"text": f"data:image/png;base64,{png}"}]}}]},
        {"error": error | {"details": details}},
        [{"error": error}],
        {"error": {"message": f"upstream: {raw}", "metadata": {"raw": raw}, "code": "404"}},
        {"detail": "Not authenticated", "errors": [{"reason": "rateLimitExceeded"}]},
        {"models": [{"name": "models/gemini-2.5-flash-image"}, {"id": "x"}]},
        {"headers": {"x-ratelimit-reset": "7"}, "error": {"headers": {"retry-after-ms": "9"}}},
    )


def make_answer(rng: random.Random) -> bytes:
    answers = _list_answers()
    value = bend_json(rng, rng.choice(answers), (*answers, *list_pictures()))
    return write_json(rng, value)


def try_answer(case: bytes) -> str:
    rng = derive_random(case)
    status = rng.choice(STATUSES)
    headers = {"retry-after": rng.choice(HEADERS), "x-ratelimit-reset": rng.choice(HEADERS)}
    encoding = rng.choice(("", "gzip", "deflate", "br"))
    body = case
    try:
        body = unpack(case, encoding, max_bytes=MAX_BYTES)
    except ProviderError as exc:
        check_error(exc)
    outcome = _read(answer.parse_picture, body)
    _read(answer.parse_cut_picture, body[: rng.randint(0, len(body))])
    _read_models(body)
    check_error(answer.explain_error(status, body, model="gemini-2.5-flash-image", headers=headers))
    return outcome


def _read(parse: Callable[[bytes, CallTrace], Any], body: bytes) -> str:
    trace = CallTrace(model="gemini-2.5-flash-image")
    try:
        parse(body, trace)
        outcome = "ok"
    except ProviderError as exc:
        outcome = check_error(exc)
    check_trace(trace, DRIVER)
    return outcome


def _read_models(body: bytes) -> None:
    try:
        answer.parse_models(body)
    except ProviderError as exc:
        check_error(exc)


GEMINI = Target(
    name="gemini", make_case=make_answer, try_case=try_answer, most_cpu_s=2.0, most_bytes=150 * MB
)
