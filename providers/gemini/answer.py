"""Parse Gemini's responses: the picture, or which failure it is. Pure functions of bytes.

The tables are those of "Answer" and "Errors" in spec/providers/gemini.md, and so are the marks.
The picture has been paid for: whatever can be understood is, in any spelling.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.conf import settings as django_settings

from photochanger.errors import BadResponse, ContentBlocked, ProviderConfig, ProviderError
from photochanger.parsing import make_printable
from photochanger.pictures import Picture, UnreadablePicture, decode_file, sniff_result
from photochanger.pictures.header import RESULT_FORMATS
from providers.base import CallTrace
from providers.error_body import read_error, read_error_body
from providers.gemini.parts import Part, read_candidates, read_key
from providers.lenient import decode_base64, is_page, load_cut_json, load_json
from providers.meanings import explain_failure

THOUGHT_ONLY = "thought_only"  # a note on the attempt
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
MAX_COUNTS = 40  # of usage


@dataclass(slots=True)
class Answer:
    """What is read of a response. ``finish`` is the service's word, made printable."""

    parts: list[Part] = field(default_factory=list)
    finish: str = ""
    words: str = ""
    block_reason: str = ""


def parse_picture(body: bytes, trace: CallTrace) -> Picture:
    """The last picture that is not a thought; everything else goes into ``trace``.

    Raises ProviderError, by "Answer" in that file. Blocking (base64 of megabytes).
    """
    answer = read_answer(body, trace)
    # Thinking models send interim pictures marked as thoughts, and of several final pictures the
    # last one is the result [D, R].
    pictures = [part.data for part in answer.parts if part.data and not part.is_thought]
    if not pictures and answer.finish == "STOP":
        pictures = [part.data for part in answer.parts if part.data]  # all are marked so [R]
        trace.note = THOUGHT_ONLY if pictures else ""
    if pictures:
        return choose_picture(pictures, answer)
    if answer.block_reason:
        trace.finish_reason = answer.block_reason
        raise ContentBlocked(f"prompt blocked: {trace.finish_reason}")
    raise _explain_missing_picture(answer)


def parse_cut_picture(body: bytes, trace: CallTrace) -> Picture:
    """As ``parse_picture``, of an answer whose end was lost: the picture may have come whole."""
    answer = read_answer(body, trace, load=load_cut_json)
    pictures = [part.data for part in answer.parts if part.data and not part.is_thought]
    if not pictures:
        raise BadResponse("no picture before the end was lost")
    return decode_whole_picture(pictures[-1])


def read_answer(
    body: bytes, trace: CallTrace, *, load: Callable[[bytes], Any] = load_json
) -> Answer:
    """Raises BadResponse for what is no such answer, and the ProviderError of a failure in it."""
    try:
        value = load(body)
    except ValueError as exc:
        page = is_page(body)
        raise BadResponse(
            "a page instead of JSON" if page else "not the documented JSON", retryable=not page
        ) from exc
    chunks = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    chunks = chunks or ([value] if isinstance(value, dict) else [])  # a stream comes in a list
    if not chunks:
        raise BadResponse("not the documented JSON", retryable=True)
    answer = Answer()
    for chunk in chunks:
        _read_chunk(chunk, answer, trace)
    trace.finish_reason = answer.finish
    if not answer.parts and read_key(chunks[0], "error"):
        raise explain_failure(200, read_error(value), {})
    return answer


def _read_chunk(chunk: dict[str, Any], answer: Answer, trace: CallTrace) -> None:
    trace.usage |= select_token_counts(read_key(chunk, "usageMetadata"))
    trace.provider_request_id = _clean(read_key(chunk, "responseId"), 100) or (
        trace.provider_request_id
    )
    feedback = read_key(chunk, "promptFeedback")
    if isinstance(feedback, dict):
        answer.block_reason = _clean(read_key(feedback, "blockReason"), 50) or answer.block_reason
    for candidate in read_candidates(chunk):
        answer.finish = _clean(candidate.finish, 50) or answer.finish
        answer.words = _clean(candidate.message, 500) or answer.words
        answer.parts += candidate.parts


def choose_picture(pictures: list[str], answer: Answer) -> Picture:
    """The last one, if it is whole where there is a doubt, or else the last whole one.

    Raises what the answer says is wrong, where it says so, or BadResponse.
    """
    is_doubtful = len(pictures) > 1 or answer.finish != "STOP"
    for data in reversed(pictures) if is_doubtful else ():
        try:
            return decode_whole_picture(data)
        except BadResponse:
            continue
    if answer.finish in BLOCKED | RECITED:
        raise _explain_missing_picture(answer)
    return decode_picture(pictures[-1])


def decode_whole_picture(data: str) -> Picture:
    picture, limit = decode_picture(data), django_settings.MAX_PHOTO_MEGAPIXELS
    try:
        decode_file(io.BytesIO(picture.body), max_megapixels=limit, formats=RESULT_FORMATS)
    except UnreadablePicture as exc:
        raise BadResponse("the picture is not whole", retryable=True) from exc
    return picture


def decode_picture(data: str) -> Picture:
    try:
        body = decode_base64(data)
    except ValueError as exc:
        raise BadResponse("the picture is not base64", retryable=True) from exc
    mime = sniff_result(body[:16])  # the declared type has been wrong before [R]
    if mime is None:
        raise BadResponse("the picture is of no known kind", retryable=False)
    return Picture(body=body, mime=mime)


def parse_models(body: bytes) -> frozenset[str]:
    """The models' ids in the list of models [D]. Raises BadResponse."""
    try:
        value = load_json(body)
    except ValueError as exc:
        raise BadResponse("not the list of models") from exc
    listed = (
        (read_key(value, "models") or read_key(value, "data")) if isinstance(value, dict) else value
    )
    names = list(_list_model_names(listed)) if isinstance(listed, list) else []
    if not names:
        raise BadResponse("an empty list of models" if listed == [] else "not the list of models")
    return frozenset(name.removeprefix("models/") for name in names)


def _list_model_names(listed: Iterable[Any]) -> Iterator[str]:
    """Of the service's own list, and of gateways', which list ids."""
    for model in listed:
        name = (model.get("name") or model.get("id")) if isinstance(model, dict) else None
        if isinstance(name, str):
            yield name


def select_token_counts(usage: Any) -> dict[str, int]:
    """The counts of ``usageMetadata``, with those of each modality beside their totals.

    Nothing else of it can be stored safely (NaN, NUL).
    """
    if not isinstance(usage, dict):
        return {}
    found: dict[str, Any] = {}
    for name, value in usage.items():
        camel = make_printable(str(name), 50)
        camel = re.sub("_([a-z])", lambda letter: letter[1].upper(), camel)
        found[camel] = value
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                modality = _clean(read_key(item, "modality"), 20)
                found[f"{camel}.{modality}"] = read_key(item, "tokenCount")
    counts = ((name, n) for name, n in found.items() if type(n) is int and 0 <= n < 2**31)
    return dict(list(counts)[:MAX_COUNTS])


def keep_service_tier(headers: httpx.Headers, trace: CallTrace) -> None:
    """Which tier really served: a busy one may be exchanged silently [D]."""
    if tier := make_printable(headers.get("x-gemini-service-tier", ""), 20):
        trace.usage = {**trace.usage, "serviceTier": tier}


def _clean(value: Any, limit: int) -> str:
    return make_printable(str(value), limit) if isinstance(value, str | int | float) else ""


def _explain_missing_picture(answer: Answer) -> ProviderError:
    reason = answer.finish or "no finishReason"
    words = answer.words or " ".join(part.text for part in answer.parts if part.text)
    detail = make_printable(f"{reason}: {words}", 500)
    if reason in BLOCKED:
        return ContentBlocked(detail)
    if reason in RECITED:
        return ContentBlocked(detail, retryable=True)  # random: the next try usually passes [R]
    return BadResponse(detail, retryable=True)


def explain_error(
    status: int, body: bytes, *, model: str, headers: Mapping[str, str] | None = None
) -> ProviderError:
    """The error of an answer that is not 200, see "Errors" in spec/providers/gemini.md."""
    said = read_error_body(body)
    error = explain_failure(status, said, headers or {})
    is_model = status in (404, 410) or "NOT_FOUND" in said.codes
    if not isinstance(error, ProviderConfig) or not is_model or not model:
        return error
    if said.is_page:
        return ProviderConfig(f"GEMINI_BASE_URL leads elsewhere: {error}"[:500])
    return ProviderConfig(f"model {model} is retired or misspelt: {error}"[:500])
