"""Everything the simulated Gemini can answer, as one table at the end of this file."""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from providers.simulator.gemini.answers import (
    Work,
    draw,
    envelope,
    error,
    picture_part,
    quota_error,
    refused_picture,
    signed_part,
    success,
)
from providers.simulator.gemini.contract import Refused, check_key
from providers.simulator.wire import Answer, Ending, json_answer

SLOW_S = 70.0
QUICK_S = 1.2  # a NO_IMAGE answer of the real service
ERROR_S = 0.3
HTML = "text/html; charset=UTF-8"
_GZIP_BOMB_BYTES = 64 * 1024 * 1024
_LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
_BAD_GATEWAY = b"<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>"
_TOO_LARGE = b"<html><title>Error 413 (Request Entity Too Large)!!1</title></html>"
_OPENING = b'{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"'
_UNSAFE = "Unable to show the generated image. The image was filtered out for safety reasons."


@dataclass(frozen=True, slots=True)
class Scenario:
    """``at_most`` caps the latency of a quick answer; ``seconds`` replaces it.

    ``fails`` tries fail before one succeeds, over and over, for each prompt and key; with None
    all tries are alike.
    """

    description: str
    build: Callable[[Work], Answer]
    at_most: float | None = None
    seconds: float | None = None
    fails: int | None = None


def ok(work: Work) -> Answer:
    """What was asked for: text only without IMAGE, text too with TEXT, thoughts when wanted."""
    request = work.request
    if not request.wants_picture:
        return text_only(work)
    if request.wants_thoughts:
        return thoughts(work)
    texts = [{"text": "Here is your picture."}] if request.wants_text else []
    return json_answer(success(work, *texts, signed_part(draw(work), _mime(work))))


def _mime(work: Work) -> str:
    return "image/png" if work.plain else "image/jpeg"


def thoughts(work: Work) -> Answer:
    draft = draw(work, size=(512, 512))
    return json_answer(
        success(
            work,
            {"text": "The guests need a new background.", "thought": True},
            picture_part(draft, thought=True),
            {"text": "Here is your picture."},
            signed_part(draw(work)),
        )
    )


def two_pictures(work: Work) -> Answer:
    draft = picture_part(draw(work, size=(512, 512)))
    return json_answer(success(work, draft, signed_part(draw(work))))


def in_format(file_format: str, mime: str, work: Work) -> Answer:
    return json_answer(success(work, signed_part(draw(work, file_format), mime)))


def urlsafe_base64(work: Work) -> Answer:
    part = signed_part(draw(work))
    blob = part["inlineData"]
    blob["data"] = blob["data"].replace("+", "-").replace("/", "_")
    return json_answer(success(work, part))


def unpadded_base64(work: Work) -> Answer:
    body = draw(work)
    body += b"\0" * ((1 - len(body)) % 3)  # a length that asks for two signs of padding
    part = signed_part(body)
    part["inlineData"]["data"] = part["inlineData"]["data"].rstrip("=")
    return json_answer(success(work, part))


def snake_case(work: Work) -> Answer:
    return json_answer(_snake(success(work, signed_part(draw(work)))))


def _snake(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda c: "_" + c[0].lower(), k): _snake(v) for k, v in value.items()
        }
    return value


def big_picture(work: Work) -> Answer:
    return json_answer(success(work, signed_part(draw(work, size=(4096, 4096)))))


def text_only(work: Work) -> Answer:
    return json_answer(success(work, {"text": "I can not edit this picture. What should I do?"}))


def parts(*items: dict[str, Any], finish: str = "STOP") -> Callable[[Work], Answer]:
    return lambda work: json_answer(success(work, *items, finish=finish))


def empty_content(work: Work) -> Answer:
    candidate = {"content": {}, "finishReason": "STOP", "index": 0}
    return json_answer(envelope(work, candidates=[candidate]))


def null_content(work: Work) -> Answer:
    candidate = {"content": None, "finishReason": "NO_IMAGE", "index": 0}
    return json_answer(envelope(work, candidates=[candidate]))


def finish(reason: str, message: str = "") -> Callable[[Work], Answer]:
    return lambda work: refused_picture(work, reason, message)


def blocked_prompt(work: Work) -> Answer:
    return json_answer(envelope(work, promptFeedback={"blockReason": "PROHIBITED_CONTENT"}))


def unknown_finish(work: Work) -> Answer:
    return json_answer(
        success(work, signed_part(draw(work), _mime(work)), finish="IMAGE_NEWLY_MADE")
    )


def bad_base64(work: Work) -> Answer:
    blob = {"mimeType": "image/png", "data": "%%% this is not base64 %%%"}
    return json_answer(success(work, {"inlineData": blob}))


def truncated_picture(work: Work) -> Answer:
    body = draw(work)
    return json_answer(success(work, signed_part(body[: len(body) // 2])))


def html_picture(work: Work) -> Answer:
    return json_answer(success(work, signed_part(_LOGIN_PAGE, "image/png")))


def fails(
    code: int, status: str, message: str, *details: dict[str, Any]
) -> Callable[[Work], Answer]:
    return lambda work: json_answer(error(code, status, message, *details), code)


def raw(status: int, body: bytes, content_type: str = HTML) -> Callable[[Work], Answer]:
    return lambda work: Answer(status=status, body=body, content_type=content_type)


def invalid_key(work: Work) -> Answer:
    check_key("")
    raise AssertionError("an empty key is refused")


def unknown_field(work: Work) -> Answer:
    raise Refused(
        'Invalid JSON payload received. Unknown name "imageOutputOptions" at '
        "'generation_config.image_config': Cannot find field."
    )


def retired(model: str, version: str = "v1beta") -> Answer:
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for "
        "generateContent. This model is no longer available. Call ListModels to see the list of "
        "available models and their supported methods."
    )
    return json_answer(error(404, "NOT_FOUND", message), 404)


def too_large() -> Answer:
    return Answer(status=413, body=_TOO_LARGE, content_type=HTML)


def quota_per_minute(seconds: float, work: Work) -> Answer:
    delay = f"{work.number if work.number is not None else seconds:g}s"
    message = f"You exceeded your current quota. Please retry in {delay}."
    quota_id = "GenerateRequestsPerMinutePerProjectPerModel"
    return quota_error(message, quota_id, "10", delay)


def quota_per_day(work: Work) -> Answer:
    message = "You exceeded your current quota, please check your plan and billing details."
    return quota_error(message, "GenerateRequestsPerDayPerProjectPerModel", "250")


def quota_zero(work: Work) -> Answer:
    message = (
        "You exceeded your current quota. * Quota exceeded for metric: "
        "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0"
    )
    quota_id = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    return quota_error(message, quota_id, "0", "33.7s")


def error_list(work: Work) -> Answer:
    busy = error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
    return json_answer([busy], 503)


def other_inner_code(work: Work) -> Answer:
    inner = error(400, "INVALID_ARGUMENT", "Cannot fetch content from the provided URL.")
    return json_answer(inner, 500)


def ends(ending: Ending, body: bytes = b"") -> Callable[[Work], Answer]:
    return lambda work: Answer(body=body, ending=ending)


def half_answer(work: Work) -> Answer:
    whole = ok(work)
    return Answer(body=whole.body, ending=Ending.HALF)


def redirect(work: Work) -> Answer:
    return Answer(status=302, headers=(("location", "/redirected"),), content_type=HTML)


def gzip_bomb(work: Work) -> Answer:
    packed = gzip.compress(b" " * _GZIP_BOMB_BYTES, compresslevel=1)
    return Answer(body=packed, headers=(("content-encoding", "gzip"),))


BUSY = fails(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
INTERNAL = "An internal error has occurred. Please retry or report the problem."
LEAKED = "Your API key was reported as leaked. Please use another API key."
NO_BILLING = "Gemini API free tier is not available in your country. Please enable billing."
NO_LOCATION = "User location is not supported for the API use."
NO_CREDENTIALS = "Request had invalid authentication credentials."
DEADLINE = "The service was unable to finish processing within the deadline."

SCENARIOS: dict[str, Scenario] = {
    "ok": Scenario("the photo, visibly altered, as JPEG", ok),
    "ok-thoughts": Scenario("thought text and thought picture first, then the answer", thoughts),
    "ok-two-images": Scenario("two pictures, the last one is the answer", two_pictures),
    "ok-jpeg-declared-png": Scenario(
        "JPEG bytes declared image/png", partial(in_format, "JPEG", "image/png")
    ),
    "ok-urlsafe-base64": Scenario("base64 with - and _", urlsafe_base64),
    "ok-unpadded-base64": Scenario("base64 without its padding", unpadded_base64),
    "ok-png": Scenario("a PNG", partial(in_format, "PNG", "image/png")),
    "ok-webp": Scenario("a WEBP", partial(in_format, "WEBP", "image/webp")),
    "ok-snake": Scenario("the whole answer in snake_case", snake_case),
    "big-picture": Scenario("4096x4096 pixels", big_picture),
    "slow": Scenario("ok after 70 s, or as many as said: slow=5", ok, seconds=SLOW_S),
    "text-only": Scenario("STOP with words and no picture", text_only),
    "no-image": Scenario("NO_IMAGE without content, quickly", finish("NO_IMAGE"), at_most=QUICK_S),
    "no-image-then-ok": Scenario(
        "NO_IMAGE once (or =N times), then ok", finish("NO_IMAGE"), at_most=QUICK_S, fails=1
    ),
    "image-other": Scenario("finishReason IMAGE_OTHER", finish("IMAGE_OTHER")),
    "other": Scenario("finishReason OTHER", finish("OTHER")),
    "empty-parts": Scenario("STOP with an empty list of parts", parts()),
    "empty-content": Scenario("STOP with content {}", empty_content),
    "null-content": Scenario("NO_IMAGE with content null", null_content, at_most=QUICK_S),
    "no-candidates": Scenario(
        "an empty list of candidates", lambda work: json_answer(envelope(work, candidates=[]))
    ),
    "empty-object": Scenario("the answer {}", lambda work: json_answer({})),
    "img-safety": Scenario("IMAGE_SAFETY with a message", finish("IMAGE_SAFETY", _UNSAFE)),
    "img-prohibited": Scenario(
        "IMAGE_PROHIBITED_CONTENT", finish("IMAGE_PROHIBITED_CONTENT", _UNSAFE)
    ),
    "prohibited": Scenario("PROHIBITED_CONTENT", finish("PROHIBITED_CONTENT")),
    "safety": Scenario("SAFETY", finish("SAFETY")),
    "spii": Scenario("SPII", finish("SPII")),
    "blocklist": Scenario("BLOCKLIST", finish("BLOCKLIST")),
    "language": Scenario("LANGUAGE", finish("LANGUAGE")),
    "prompt-blocked": Scenario("promptFeedback and no candidates", blocked_prompt),
    "recitation": Scenario("IMAGE_RECITATION each time", finish("IMAGE_RECITATION")),
    "recitation-then-ok": Scenario(
        "IMAGE_RECITATION once (or =N times), then ok", finish("IMAGE_RECITATION"), fails=1
    ),
    "unknown-finish": Scenario("an unknown finishReason with a picture", unknown_finish),
    "malformed": Scenario("MALFORMED_RESPONSE", finish("MALFORMED_RESPONSE")),
    "max-tokens": Scenario(
        "MAX_TOKENS after some text", parts({"text": "I will now"}, finish="MAX_TOKENS")
    ),
    "bad-base64": Scenario("data that is not base64", bad_base64),
    "truncated-image": Scenario("half of a JPEG", truncated_picture),
    "html-image": Scenario("an HTML page as inlineData", html_picture),
    "html-200": Scenario("an HTML page with status 200", raw(200, _LOGIN_PAGE)),
    "empty-200": Scenario("status 200 without a body", raw(200, b"", "application/json")),
    "400": Scenario("INVALID_ARGUMENT", fails(400, "INVALID_ARGUMENT", "Invalid argument.")),
    "400-key": Scenario("API_KEY_INVALID", invalid_key),
    "400-location": Scenario("country not served", fails(400, "FAILED_PRECONDITION", NO_LOCATION)),
    "400-billing": Scenario("billing is off", fails(400, "FAILED_PRECONDITION", NO_BILLING)),
    "400-unknown-field": Scenario("Unknown name", unknown_field),
    "401": Scenario("UNAUTHENTICATED", fails(401, "UNAUTHENTICATED", NO_CREDENTIALS)),
    "402": Scenario("prepaid balance is empty", fails(402, "payment_required", "No credit left.")),
    "403": Scenario("PERMISSION_DENIED, a leaked key", fails(403, "PERMISSION_DENIED", LEAKED)),
    "404-retired": Scenario("the model is retired", lambda work: retired(work.model)),
    "408": Scenario("timeout of the front end, HTML", raw(408, b"<html>408</html>")),
    "409": Scenario("ABORTED", fails(409, "ABORTED", "The operation was aborted.")),
    "413": Scenario("body too large, HTML", lambda work: too_large()),
    "429-retry": Scenario(
        "quota per minute with RetryInfo of 33 s, or =N", partial(quota_per_minute, 33)
    ),
    "429-short": Scenario(
        "429 with a retryDelay of 0.5 s once, then ok", partial(quota_per_minute, 0.5), fails=1
    ),
    "429-daily": Scenario("quota per day, without RetryInfo", quota_per_day),
    "429-limit-0": Scenario("a model outside the free tier", quota_zero),
    "499": Scenario("CANCELLED", fails(499, "CANCELLED", "The operation was cancelled.")),
    "500": Scenario("INTERNAL", fails(500, "INTERNAL", INTERNAL)),
    "500-inner-400": Scenario("status 500, code 400 inside", other_inner_code),
    "503": Scenario("UNAVAILABLE, overloaded", BUSY),
    "503-then-ok": Scenario("UNAVAILABLE once (or =N times), then ok", BUSY, fails=1),
    "504": Scenario("DEADLINE_EXCEEDED", fails(504, "DEADLINE_EXCEEDED", DEADLINE)),
    "err-list": Scenario("a 503 wrapped in a list", error_list),
    "html-502": Scenario("an HTML page with status 502", raw(502, _BAD_GATEWAY)),
    "empty-500": Scenario("status 500 without a body", raw(500, b"")),
    "drop-connection": Scenario("the connection is cut, no answer", ends(Ending.NOTHING)),
    "half-answer": Scenario("the connection is cut in the middle of the body", half_answer),
    "redirect": Scenario("302 to another address", redirect),
    "huge-answer": Scenario("48 MB, length declared", ends(Ending.FLOOD, _OPENING)),
    "huge-stream": Scenario("48 MB, length not declared", ends(Ending.ENDLESS, _OPENING)),
    "gzip-bomb": Scenario("64 MB of blanks in a small gzip", gzip_bomb),
}
