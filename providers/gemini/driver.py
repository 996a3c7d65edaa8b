"""Google Gemini's image models: one call of ``generateContent``, JSON in and JSON out.

Facts and their sources are in spec/providers/gemini.md; the letters D (documented), C (seen in
code), R (reported), M (measured) and G (guessed) below are its confidence marks.
"""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import orjson
import pybase64
from django.conf import settings as django_settings
from django.utils.translation import gettext_noop as _  # translated where a form is drawn

from photochanger.errors import BadResponse, ProviderConfig
from photochanger.pictures import Picture, UnreadablePicture
from providers import http
from providers.base import (
    ALL_TEMPLATE_KINDS,
    SECOND_MODEL_TURN,
    ProviderDriver,
    ProviderRequest,
    UnbilledCall,
)
from providers.checking import CHECK_SECONDS, MAX_CHECK_BYTES, KeyCheck, measure_clock_skew
from providers.clean_photo import Slices, clean_photo
from providers.gemini.answer import (
    explain_error,
    keep_service_tier,
    parse_cut_picture,
    parse_models,
    parse_picture,
)
from providers.gemini.models import (
    COMMON_RATIOS,
    GEMINI_BY_ID,
    GEMINI_MODELS,
    choose_nearest_ratio,
)
from providers.gemini.settings import CATEGORIES, THRESHOLDS, normalize_model_id
from providers.gemini.settings import GeminiSettings as GeminiSettings
from providers.gemini.token_counts import estimate_token_counts, read_token_counts
from providers.gemini.usage import describe_tokens
from providers.tokens import TokenCounts

BASE64_PIECE = 3 * 65536  # a multiple of 3: no padding inside
JSON_ROOM_BYTES = 64 * 1024  # prompt and settings, kept free below the service's cap
IDENTITY_CLAUSE = (
    "Keep every person of the photo recognisable: the same faces, facial features, age, skin tone, "
    "expression and number of people. Change only the style, the clothes' look and the "
    "surroundings as described above."
)


class GeminiDriver(ProviderDriver[GeminiSettings]):
    name = "gemini"
    title = "Google Gemini"
    icon = "spark"
    operations = {"image_edit": _("Edit by prompt")}
    takes_firmer_words = True
    key_pattern = r"AIza[\w-]{30,}"
    template_kinds = {"image_edit": ALL_TEMPLATE_KINDS}  # the prompt describes each to the model
    template_roles = {
        "style": _("look, colours and technique are taken from it"),
        "background": _("what stands behind the guests"),
        "base": _("the scene that the guests come into"),
        "overlay": _("a frame, a logo or a decoration that lies over the picture"),
        "face": _("a face or a person that the prompt speaks of"),
    }
    models = GEMINI_MODELS
    Settings = GeminiSettings

    @property
    def base_url(self) -> str:
        return str(django_settings.GEMINI_BASE_URL)

    def build_unbilled_call(self, api_key: str, filler: str) -> UnbilledCall:
        """Counting tokens is free and has no quota of its own [D]."""
        return UnbilledCall(
            url=build_url(GEMINI_MODELS[0].id, method="countTokens"),
            headers=build_key_header(api_key) | {"content-type": "application/json"},
            body=orjson.dumps({"contents": [{"parts": [{"text": filler}]}]}),
        )

    def describe_usage(self, usage: Mapping[str, Any]) -> str:
        return describe_tokens(usage)

    def count_tokens(self, usage: Mapping[str, Any]) -> TokenCounts | None:
        return read_token_counts(usage)

    def estimate_tokens(self, settings: GeminiSettings, model: str, pictures: int) -> TokenCounts:
        return estimate_token_counts(settings, model, pictures)

    async def process(self, request: ProviderRequest[GeminiSettings]) -> Picture:
        request.trace.model = model = choose_model(request)
        try:
            reply = await send(request)
        except UnreadablePicture as exc:
            # The photo was decoded before: it is a template picture, or there is no room left.
            raise ProviderConfig(f"the picture cannot be sent: {exc}") from exc
        request.trace.http_status = reply.status
        try:
            if not reply.is_good:
                raise explain_error(reply.status, reply.body, model=model, headers=reply.headers)
            parse = parse_cut_picture if reply.cut else parse_picture
            return await asyncio.to_thread(parse, reply.body, request.trace)
        except BadResponse as exc:
            raise (reply.cut or exc) from exc.__cause__
        finally:
            keep_service_tier(reply.headers, request.trace)

    async def probe(self, api_key: str, base_url: str = "") -> KeyCheck:
        """The list of models: GET, no body, at most 1000 a page [D]; it makes no picture, so it
        costs nothing [G]. A wrong key is refused as for a photo [D]; whether a used-up quota or an
        unsupported country shows here already is not certain [G]."""
        reply = await http.get(
            f"{base_url or self.base_url}/{django_settings.GEMINI_API_VERSION}"
            "/models?pageSize=1000",
            headers=build_key_header(api_key),
            max_bytes=MAX_CHECK_BYTES,
            timeout_s=CHECK_SECONDS,
        )
        if reply.status != 200:
            raise explain_error(reply.status, reply.body, model="", headers=reply.headers)
        return KeyCheck(
            ok=True, models=parse_models(reply.body), clock_skew_s=measure_clock_skew(reply.headers)
        )


async def send(request: ProviderRequest[GeminiSettings]) -> http.Reply:
    pictures = await asyncio.to_thread(prepare_pictures, request)
    try:
        for number, picture in enumerate(pictures):
            if picture.is_copy:
                pictures[number] = await picture.move_to_disk()
        body = build_body(request, pictures)
        return await http.post(
            build_url(choose_model(request), request.base_url),
            headers=build_headers(request, body),
            content=body,
            accepts_cut=True,  # the picture may have come whole
        )
    finally:
        for picture in pictures:
            picture.close()


def choose_model(request: ProviderRequest[GeminiSettings]) -> str:
    """The slot's model; from the third call on its fallback model, if it has one."""
    slot = request.settings
    is_second = request.call_number >= SECOND_MODEL_TURN
    return slot.fallback_model if slot.fallback_model and is_second else slot.model


def build_url(model: str, base_url: str = "", method: str = "generateContent") -> str:
    base, version = base_url or django_settings.GEMINI_BASE_URL, django_settings.GEMINI_API_VERSION
    # Quoted, so that a mistyped name is an unknown model and never another URL.
    return f"{base}/{version}/models/{quote(normalize_model_id(model), safe='')}:{method}"


class WireBody:
    """The JSON body as a stream: pictures are encoded as base64 only while they are sent.

    A 15 MB photo would take 20 MB of memory as base64 and again as JSON; this way at most 256 KB.
    httpx iterates once; a retry builds a new body.
    """

    def __init__(self, texts: list[bytes], pictures: list[Slices]) -> None:
        self._texts, self._pictures = texts, pictures
        self.size_bytes = sum(map(len, texts)) + sum(
            compute_base64_size(p.size_bytes) for p in pictures
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for text, picture in zip(self._texts, self._pictures, strict=False):
            yield text
            # Read on the event loop on purpose: the file is in the page cache, and a thread hop
            # costs more than these 192 KB.
            for piece in picture.read_chunks(BASE64_PIECE):
                yield pybase64.b64encode(piece)
        yield self._texts[-1]


def compute_base64_size(size_bytes: int) -> int:
    return (size_bytes + 2) // 3 * 4


def prepare_pictures(request: ProviderRequest[GeminiSettings]) -> list[Slices]:
    """Photo and references upright, clean and small enough together. Blocking.

    The service counts the whole request after base64. Documented are 20 MB and, since 2026-01,
    100 MB [D, sources disagree]; ours is the setting ``GEMINI_MAX_REQUEST_MB``.

    Raises UnreadablePicture.
    """
    cap = django_settings.GEMINI_MAX_REQUEST_MB * 1024 * 1024 - JSON_ROOM_BYTES
    room = cap // 4 * 3
    with ExitStack() as made:  # closes these when a later picture fails
        references = []
        for reference in request.references:
            share = room // (2 * len(request.references))
            references.append(clean_photo(reference.photo, max_bytes=share))
            made.callback(references[-1].close)
        left = room - sum(picture.size_bytes + 2 for picture in references)
        photo = clean_photo(request.photo, max_bytes=left)
        made.pop_all()
    return [photo, *references]


def build_body(request: ProviderRequest[GeminiSettings], pictures: list[Slices]) -> WireBody:
    """The JSON of "Request" in spec/providers/gemini.md: photo first, references, then the text."""
    slot = request.settings
    placeholder = secrets.token_hex(16)  # replaced by a picture's base64
    parts: list[dict[str, Any]] = [
        {"inlineData": {"mimeType": picture.mime, "data": placeholder}} for picture in pictures
    ]
    parts.append({"text": build_prompt(request)})
    message: dict[str, Any] = {
        "contents": [{"role": "user", "parts": parts}],
        # Without IMAGE alone, text-only answers were seen [R]. No systemInstruction, no
        # responseMimeType, no sampling fields: models answer 400 to some of them [C, R].
        "generationConfig": {"responseModalities": ["IMAGE"], **build_generation_config(request)},
    }
    if threshold := THRESHOLDS.get(slot.safety):
        message["safetySettings"] = [
            {"category": f"HARM_CATEGORY_{name}", "threshold": threshold} for name in CATEGORIES
        ]
    return WireBody(orjson.dumps(message).split(placeholder.encode()), pictures)


def build_generation_config(request: ProviderRequest[GeminiSettings]) -> dict[str, Any]:
    slot, model = request.settings, GEMINI_BY_ID.get(normalize_model_id(choose_model(request)))
    image = {
        "aspectRatio": slot.aspect_ratio or choose_ratio(request),
        "imageSize": slot.image_size,
    }
    image = {key: value for key, value in image.items() if value}
    thinking = slot.thinking_level or (model.fastest_thinking if model else "")
    config: dict[str, Any] = {"imageConfig": image} if image else {}
    if thinking:
        config["thinkingConfig"] = {"thinkingLevel": thinking}
    return config


def choose_ratio(request: ProviderRequest[GeminiSettings]) -> str | None:
    """The photo's own ratio, sent only with references, which could be taken for it.

    Without ``aspectRatio`` the answer follows the input picture; of several, the last one [R].
    """
    if not request.references:
        return None
    return choose_nearest_ratio(*request.photo.header.upright_size, COMMON_RATIOS)


def build_prompt(request: ProviderRequest[GeminiSettings]) -> str:
    lines = [request.settings.prompt]
    if request.references:
        kinds = ", ".join(
            f"image {number} is a {reference.kind} reference"
            for number, reference in enumerate(request.references, start=2)
        )
        lines.append(f"Image 1 is the photo of the guests; {kinds}.")
    if request.settings.keep_identity:
        lines.append(IDENTITY_CLAUSE)
    if request.firmer:
        lines.append(request.firmer)
    return "\n\n".join(lines)


def build_headers(request: ProviderRequest[GeminiSettings], body: WireBody) -> dict[str, str]:
    return {
        **build_key_header(request.api_key),
        "content-type": "application/json",
        "content-length": str(body.size_bytes),  # else the stream would go out chunked
        "x-server-timeout": str(max(1, math.ceil(request.budget_s))),
    }


def build_key_header(api_key: str) -> dict[str, str]:
    """Google's own header, or the bearer token that some relays want instead [R].

    Never in the query: addresses end up in logs.
    """
    if django_settings.GEMINI_AUTH == "bearer":
        http.check_headers({"authorization": api_key})  # with the word before it, "" would pass
        return {"authorization": f"Bearer {api_key}"}
    return {"x-goog-api-key": api_key}
