"""Parse Gemini's responses: the picture, or which failure it is. Pure functions of bytes.

The tables are those of "Answer" and "Errors" in spec/providers/gemini.md, and so are the marks.
The picture has been paid for: whatever can be understood is, in any spelling.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.conf import settings as django_settings

from photochanger.errors import BadResponse, ContentBlocked, ProviderConfig, ProviderError
from photochanger.parsing import make_printable
from photochanger.pictures import (
    Picture,
    UnreadablePicture,
    UnsuitablePicture,
    decode_file,
    sniff_result,
)
from photochanger.pictures.header import RESULT_FORMATS
from providers.base import CallTrace
from providers.error_body import read_error, read_error_body
from providers.gemini.parts import (
    SMALL_CHARS,
    Part,
    list_chunks,
    normalize_finish,
    read_candidates,
    read_key,
    shows_unread_picture,
)
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
PACKED = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")  # no text holds them


@dataclass(slots=True)
class Answer:
    """What is read of a response. ``finish`` is the service's word, made printable."""

    parts: list[Part] = field(default_factory=list)
    finish: str = ""
    words: str = ""
    block_reason: str = ""
    chunks: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def ending(self) -> str:
        """The finish reason in the documented spelling, or ""."""
        return normalize_finish(self.finish)

    def list_thoughts(self) -> list[str]:
        return [part.data for part in self.parts if part.data and part.is_thought]


def parse_picture(body: bytes, trace: CallTrace) -> Picture:
    """The last picture that is not a thought; everything else goes into ``trace``.

    Raises ProviderError, by "Answer" in that file. Blocking (base64 of megabytes).
    """
    try:
        value = load_json(body)
    except ValueError as exc:
        return _parse_rest(body, trace, exc)
    answer = read_answer(value, trace)
    # Thinking models send interim pictures marked as thoughts, and of several final pictures the
    # last one is the result [D, R].
    pictures = [part.data for part in answer.parts if part.data and not part.is_thought]
    if not pictures:
        pictures = _choose_thoughts(answer)  # all are marked so [R]
        trace.note = THOUGHT_ONLY if pictures else ""
    if pictures:
        return choose_picture(pictures, answer)
    if answer.block_reason:
        trace.finish_reason = answer.block_reason
        raise ContentBlocked(f"prompt blocked: {trace.finish_reason}")
    raise _explain_missing_picture(answer)


def _choose_thoughts(answer: Answer) -> list[str]:
    """Of an answer that ended well, or does not say how and has a whole one."""
    if answer.ending == "STOP":
        return answer.list_thoughts()
    return list(filter(_is_whole, answer.list_thoughts())) if not answer.ending else []


def _is_whole(data: str) -> bool:
    with suppress(BadResponse):
        return bool(decode_whole_picture(data))
    return False


def _parse_rest(body: bytes, trace: CallTrace, cause: ValueError) -> Picture:
    """The picture of JSON that lacks its end though all that was announced came."""
    try:
        return parse_cut_picture(body, trace)
    except ProviderError:
        raise _explain_unreadable(body) from cause


def parse_cut_picture(body: bytes, trace: CallTrace) -> Picture:
    """As ``parse_picture``, of an answer whose end was lost: the picture may have come whole."""
    try:
        value = load_cut_json(body)
    except ValueError as exc:
        raise BadResponse("not the documented JSON") from exc
    answer = read_answer(value, trace)
    pictures = [part.data for part in answer.parts if part.data and not part.is_thought]
    if not pictures:
        raise BadResponse("no picture before the end was lost")
    return decode_whole_picture(pictures[-1])


def _explain_unreadable(body: bytes) -> BadResponse:
    """What is large holds a picture: the next one would come the same way, and be paid for too."""
    if is_page(body):
        return BadResponse("a page instead of JSON")
    if PACKED.search(body[:1000]):
        return BadResponse("packed in a way that nobody asked for and that is not read here")
    return BadResponse("not the documented JSON", retryable=len(body) <= SMALL_CHARS)


def read_answer(value: Any, trace: CallTrace) -> Answer:
    """Raises BadResponse for what is no such answer, and the ProviderError of a failure in it."""
    is_plain = isinstance(value, dict) and "candidates" in value
    chunks = [value] if is_plain else list_chunks(value)
    if not chunks:
        raise BadResponse("not the documented JSON", retryable=not shows_unread_picture(value))
    answer = Answer(chunks=chunks)
    for chunk in chunks:
        _read_chunk(chunk, answer, trace)
    trace.finish_reason = answer.finish
    failed = next((chunk for chunk in chunks if read_key(chunk, "error")), None)
    if not answer.parts and failed:
        raise explain_failure(200, read_error(failed), {})
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
    is_doubtful = len(pictures) > 1 or (answer.finish != "STOP" and answer.ending != "STOP")
    for data in reversed(pictures) if is_doubtful else ():
        try:
            return decode_whole_picture(data)
        except BadResponse:
            continue
    if is_doubtful and answer.ending in BLOCKED | RECITED:
        raise _explain_missing_picture(answer)
    return decode_picture(pictures[-1])


def decode_whole_picture(data: str) -> Picture:
    picture, limit = decode_picture(data), django_settings.MAX_PHOTO_MEGAPIXELS
    try:
        decode_file(io.BytesIO(picture.body), max_megapixels=limit, formats=RESULT_FORMATS)
    except UnreadablePicture as exc:
        is_chance = not isinstance(exc, UnsuitablePicture)
        raise BadResponse("the picture is not whole", retryable=is_chance) from exc
    return picture


def decode_picture(data: str) -> Picture:
    try:
        body = decode_base64(data)
    except ValueError as exc:
        is_small = len(data) <= SMALL_CHARS
        raise BadResponse("the picture is not base64", retryable=is_small) from exc
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
    if answer.ending in BLOCKED:
        return ContentBlocked(detail)
    if answer.ending in RECITED:
        return ContentBlocked(detail, retryable=True)  # random: the next try usually passes [R]
    is_lost = answer.ending in ("STOP", "") and not answer.list_thoughts()
    is_paid = is_lost and shows_unread_picture(answer.chunks)
    return BadResponse(detail, retryable=not is_paid)


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
