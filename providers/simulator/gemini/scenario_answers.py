"""The answers of the simulated Gemini's scenarios, and factories of such answers."""

import gzip
import re
from collections.abc import Callable
from typing import Any

from providers.simulator.gemini.answers import (
    Work,
    answer_quota,
    answer_refused_picture,
    build_error,
    build_success,
    draw,
    make_envelope,
    make_picture_part,
    make_signed_part,
)
from providers.simulator.gemini.contract import Refusal, check_key
from providers.simulator.wire import Answer, Ending, make_json_answer

HTML = "text/html; charset=UTF-8"
_GZIP_BOMB_BYTES = 64 * 1024 * 1024
LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>"
BAD_GATEWAY = b"<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>"
_TOO_LARGE = b"<html><title>Error 413 (Request Entity Too Large)!!1</title></html>"
OPENING = b'{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"'
UNSAFE = "Unable to show the generated image. The image was filtered out for safety reasons."


def answer_ok(work: Work) -> Answer:
    """What was asked for: text only without IMAGE, text too with TEXT, thoughts when wanted."""
    request = work.request
    if not request.wants_picture:
        return answer_text_only(work)
    if request.wants_thoughts:
        return answer_thoughts(work)
    texts = [{"text": "Here is your picture."}] if request.wants_text else []
    return make_json_answer(
        build_success(work, *texts, make_signed_part(draw(work), _choose_mime(work)))
    )


def _choose_mime(work: Work) -> str:
    return "image/png" if work.plain else "image/jpeg"


def answer_thoughts(work: Work) -> Answer:
    draft = draw(work, size=(512, 512))
    return make_json_answer(
        build_success(
            work,
            {"text": "The guests need a new background.", "thought": True},
            make_picture_part(draft, thought=True),
            {"text": "Here is your picture."},
            make_signed_part(draw(work)),
        )
    )


def answer_two_pictures(work: Work) -> Answer:
    draft = make_picture_part(draw(work, size=(512, 512)))
    return make_json_answer(build_success(work, draft, make_signed_part(draw(work))))


def answer_in_format(file_format: str, mime: str, work: Work) -> Answer:
    return make_json_answer(build_success(work, make_signed_part(draw(work, file_format), mime)))


def answer_urlsafe_base64(work: Work) -> Answer:
    part = make_signed_part(draw(work))
    blob = part["inlineData"]
    blob["data"] = blob["data"].replace("+", "-").replace("/", "_")
    return make_json_answer(build_success(work, part))


def answer_unpadded_base64(work: Work) -> Answer:
    body = draw(work)
    body += b"\0" * ((1 - len(body)) % 3)  # a length that asks for two signs of padding
    part = make_signed_part(body)
    part["inlineData"]["data"] = part["inlineData"]["data"].rstrip("=")
    return make_json_answer(build_success(work, part))


def answer_snake_case(work: Work) -> Answer:
    return make_json_answer(_to_snake_case(build_success(work, make_signed_part(draw(work)))))


def _to_snake_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_snake_case(item) for item in value]
    if isinstance(value, dict):
        return {
            re.sub("[A-Z]", lambda c: "_" + c[0].lower(), k): _to_snake_case(v)
            for k, v in value.items()
        }
    return value


def answer_big_picture(work: Work) -> Answer:
    return make_json_answer(build_success(work, make_signed_part(draw(work, size=(4096, 4096)))))


def answer_text_only(work: Work) -> Answer:
    return make_json_answer(
        build_success(work, {"text": "I can not edit this picture. What should I do?"})
    )


def answer_parts(*items: dict[str, Any], finish: str = "STOP") -> Callable[[Work], Answer]:
    return lambda work: make_json_answer(build_success(work, *items, finish=finish))


def answer_empty_content(work: Work) -> Answer:
    candidate = {"content": {}, "finishReason": "STOP", "index": 0}
    return make_json_answer(make_envelope(work, candidates=[candidate]))


def answer_null_content(work: Work) -> Answer:
    candidate = {"content": None, "finishReason": "NO_IMAGE", "index": 0}
    return make_json_answer(make_envelope(work, candidates=[candidate]))


def answer_finish(reason: str, message: str = "") -> Callable[[Work], Answer]:
    return lambda work: answer_refused_picture(work, reason, message)


def answer_blocked_prompt(work: Work) -> Answer:
    return make_json_answer(
        make_envelope(work, promptFeedback={"blockReason": "PROHIBITED_CONTENT"})
    )


def answer_unknown_finish(work: Work) -> Answer:
    return make_json_answer(
        build_success(
            work, make_signed_part(draw(work), _choose_mime(work)), finish="IMAGE_NEWLY_MADE"
        )
    )


def answer_bad_base64(work: Work) -> Answer:
    blob = {"mimeType": "image/png", "data": "%%% this is not base64 %%%"}
    return make_json_answer(build_success(work, {"inlineData": blob}))


def answer_truncated_picture(work: Work) -> Answer:
    body = draw(work)
    return make_json_answer(build_success(work, make_signed_part(body[: len(body) // 2])))


def answer_html_picture(work: Work) -> Answer:
    return make_json_answer(build_success(work, make_signed_part(LOGIN_PAGE, "image/png")))


def answer_error(
    code: int, status: str, message: str, *details: dict[str, Any]
) -> Callable[[Work], Answer]:
    return lambda work: make_json_answer(build_error(code, status, message, *details), code)


def answer_quoting_prompt(work: Work) -> Answer:
    words = f"Request contains an invalid argument: {work.request.prompt[:200]}"
    return answer_error(400, "INVALID_ARGUMENT", words)(work)


def answer_raw(status: int, body: bytes, content_type: str = HTML) -> Callable[[Work], Answer]:
    return lambda work: Answer(status=status, body=body, content_type=content_type)


def answer_invalid_key(work: Work) -> Answer:
    check_key("")
    raise AssertionError("an empty key is refused")


def answer_unknown_field(work: Work) -> Answer:
    raise Refusal(
        'Invalid JSON payload received. Unknown name "imageOutputOptions" at '
        "'generation_config.image_config': Cannot find field."
    )


def answer_retired(model: str, version: str = "v1beta") -> Answer:
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for "
        "generateContent. This model is no longer available. Call ListModels to see the list of "
        "available models and their supported methods."
    )
    return make_json_answer(build_error(404, "NOT_FOUND", message), 404)


def answer_too_large() -> Answer:
    return Answer(status=413, body=_TOO_LARGE, content_type=HTML)


def answer_quota_per_minute(seconds: float, work: Work) -> Answer:
    delay = f"{work.number if work.number is not None else seconds:g}s"
    message = f"You exceeded your current quota. Please retry in {delay}."
    quota_id = "GenerateRequestsPerMinutePerProjectPerModel"
    return answer_quota(message, quota_id, "10", delay)


def answer_quota_per_day(work: Work) -> Answer:
    message = "You exceeded your current quota, please check your plan and billing details."
    return answer_quota(message, "GenerateRequestsPerDayPerProjectPerModel", "250")


def answer_quota_zero(work: Work) -> Answer:
    message = (
        "You exceeded your current quota. * Quota exceeded for metric: "
        "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0"
    )
    quota_id = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    return answer_quota(message, quota_id, "0", "33.7s")


def answer_error_list(work: Work) -> Answer:
    busy = build_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
    return make_json_answer([busy], 503)


def answer_other_inner_code(work: Work) -> Answer:
    inner = build_error(400, "INVALID_ARGUMENT", "Cannot fetch content from the provided URL.")
    return make_json_answer(inner, 500)


def answer_ending(ending: Ending, body: bytes = b"") -> Callable[[Work], Answer]:
    return lambda work: Answer(body=body, ending=ending)


def answer_half(work: Work) -> Answer:
    whole = answer_ok(work)
    return Answer(body=whole.body, ending=Ending.HALF)


def answer_redirect(work: Work) -> Answer:
    return Answer(status=302, headers=(("location", "/redirected"),), content_type=HTML)


def answer_gzip_bomb(work: Work) -> Answer:
    packed = gzip.compress(b" " * _GZIP_BOMB_BYTES, compresslevel=1)
    return Answer(body=packed, headers=(("content-encoding", "gzip"),))


BUSY = answer_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
INTERNAL = "An internal error has occurred. Please retry or report the problem."
LEAKED = "Your API key was reported as leaked. Please use another API key."
NO_BILLING = "Gemini API free tier is not available in your country. Please enable billing."
NO_LOCATION = "User location is not supported for the API use."
NO_CREDENTIALS = "Request had invalid authentication credentials."
DEADLINE = "The service was unable to finish processing within the deadline."
