"""Parse a request as Gemini does, into a ``GenerateRequest`` or a ``Refusal``.

Where the documents give no wording, the message is invented; status and shape are not.
"""

import binascii
import io
from dataclasses import dataclass
from typing import Any

import orjson
import pybase64
from PIL import Image

from providers.simulator.gemini.models import DEFAULT, MODELS, Model, find_nearest_ratio
from providers.simulator.gemini.schema import REQUEST, parse
from providers.simulator.wire import Answer, make_json_answer

MIME_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
BAD_PICTURE = "Unable to process input image. Please retry or report the problem."
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1")


class Refusal(Exception):
    """The service refuses the request; ``details`` are the typed objects of Google's errors."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 400,
        status: str = "INVALID_ARGUMENT",
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.error: dict[str, Any] = {"code": code, "message": message, "status": status}
        if details:
            self.error["details"] = details

    def answer(self) -> Answer:
        return make_json_answer({"error": self.error}, self.code)


@dataclass(frozen=True, slots=True)
class PictureIn:
    mime: str
    body: bytes
    size: tuple[int, int] | None  # None for HEIC, which Pillow cannot open


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    prompt: str = ""
    pictures: tuple[PictureIn, ...] = ()
    ratio: str = "1:1"
    image_size: str = "1K"
    asked_ratio: str = ""
    asked_size: str = ""
    wants_picture: bool = True
    wants_text: bool = False
    wants_thoughts: bool = False
    service_tier: str = ""


def check_key(key: str) -> None:
    """A wrong key is a 400 here, not a 401."""
    if key and not key.startswith("bad-key"):
        return
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    message = "API key not valid. Please pass a valid API key."
    raise Refusal(message, details=[info])


def read_request(body: bytes, model: str) -> GenerateRequest:
    """Parse and check a body by the rules of a model; a scenario's name has the default's."""
    data = _parse_json(body)
    rules = MODELS.get(model, MODELS[DEFAULT])
    generation = data.get("generationConfig") or {}
    _check_system_instruction(data, model, rules)
    _check_mime_type(generation)
    _check_thinking(generation.get("thinkingConfig"), rules)
    modalities = _read_modalities(generation)
    prompt, pictures = _read_contents(data.get("contents") or [])
    if len(pictures) > rules.max_pictures:
        raise Refusal(f"Please use fewer than {rules.max_pictures + 1} images in your request.")
    asked_ratio, asked_size = _check_image_config(generation.get("imageConfig") or {}, rules)
    return GenerateRequest(
        prompt=prompt,
        pictures=pictures,
        ratio=asked_ratio or _choose_ratio(pictures, model if model in MODELS else DEFAULT),
        image_size=asked_size or "1K",
        asked_ratio=asked_ratio,
        asked_size=asked_size,
        wants_picture="IMAGE" in modalities,
        wants_text="TEXT" in modalities,
        wants_thoughts=bool((generation.get("thinkingConfig") or {}).get("includeThoughts")),
        service_tier=data.get("serviceTier") or "",
    )


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Refusal("Invalid JSON payload received. Unexpected token.") from exc
    faults: list[str] = []
    if not isinstance(data, dict):
        raise Refusal("Invalid JSON payload received. Root must be an object.")
    parsed: dict[str, Any] = parse(data, REQUEST, "", faults)
    if faults:
        violations = [{"description": fault} for fault in faults]
        bad = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
        raise Refusal("\n".join(faults), details=[bad])
    return parsed


def _check_system_instruction(data: dict[str, Any], model: str, rules: Model) -> None:
    if data.get("systemInstruction") and not rules.takes_system_instruction:
        raise Refusal(f"Developer instruction is not enabled for models/{model}")


def _check_mime_type(generation: dict[str, Any]) -> None:
    mime = generation.get("responseMimeType") or ""
    if mime.startswith("image/"):
        raise Refusal(
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
            "`text/plain`, `application/json`, `application/xml`, `application/yaml` and "
            "`text/x.enum`."
        )


def _check_thinking(thinking: dict[str, Any] | None, rules: Model) -> None:
    if thinking is None:
        return
    if not rules.thinks:
        raise Refusal("Thinking is not enabled for this model")
    level = thinking.get("thinkingLevel")
    if level is not None and level not in rules.levels:
        raise Refusal(f"Thinking level {level} is not supported for this model.")
    if thinking.get("thinkingBudget") == 0:
        raise Refusal("Budget 0 is invalid. This model only works in thinking mode.")


def _read_modalities(generation: dict[str, Any]) -> set[str]:
    """Case-insensitive; the default is text and image."""
    asked = {str(name).upper() for name in generation.get("responseModalities") or ()}
    if unknown := asked - {"TEXT", "IMAGE"}:
        names = ", ".join(sorted(unknown))[:60]
        raise Refusal(f"The requested response modalities ({names}) are not supported.")
    return asked or {"TEXT", "IMAGE"}


def _check_image_config(config: dict[str, Any], rules: Model) -> tuple[str, str]:
    place = "* GenerateContentRequest.generation_config.image_config"
    ratio, size = config.get("aspectRatio") or "", config.get("imageSize") or ""
    if ratio and ratio not in rules.ratios:
        raise Refusal(f"{place}.aspect_ratio: must be one of {', '.join(rules.ratios)}.")
    if size and size not in rules.sizes:
        raise Refusal(f"{place}.image_size: must be one of {', '.join(rules.sizes)}.")
    return ratio, size


def _choose_ratio(pictures: tuple[PictureIn, ...], model: str) -> str:
    """The shape of the last picture, as reported of the real service; a square without one."""
    if not pictures or not pictures[-1].size:
        return "1:1"
    return find_nearest_ratio(model, *pictures[-1].size)


def _read_contents(contents: list[dict[str, Any]]) -> tuple[str, tuple[PictureIn, ...]]:
    if not contents:
        raise Refusal("* GenerateContentRequest.contents: contents is not specified")
    texts, pictures = [], []
    for turn, content in enumerate(contents):
        place = f"contents[{turn}]"
        if (content.get("role") or "user") not in ("user", "model"):
            raise Refusal("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise Refusal(f"* GenerateContentRequest.{place}.parts: contents.parts is empty.")
        for number, part in enumerate(content["parts"]):
            where = f"{place}.parts[{number}]"
            if part.get("text"):
                texts.append(part["text"])
            elif part.get("inlineData") is not None:
                pictures.append(_read_picture(part["inlineData"], f"{where}.inline_data"))
            elif part.get("fileData") is not None:
                raise Refusal("Cannot fetch content from the provided URL.")
            else:
                raise Refusal(
                    f"* GenerateContentRequest.{where}.data: required oneof field 'data' "
                    "must have one initialized field"
                )
    return "\n".join(texts), tuple(pictures)


def _read_picture(blob: dict[str, Any], place: str) -> PictureIn:
    mime = blob.get("mimeType") or ""
    if mime not in MIME_TYPES:
        raise Refusal(f"Unsupported MIME type: {mime[:60]}")
    body = _decode(blob.get("data") or "", place)
    found = _sniff(body)
    if found is None:
        raise Refusal(BAD_PICTURE)
    # HEIC and HEIF share a container, and clients mix the two names.
    if found != mime and not (found == "image/heic" and mime == "image/heif"):
        raise Refusal(f"The declared MIME type {mime} does not match the image, which is {found}.")
    return PictureIn(mime, body, None if found == "image/heic" else _pixel_size(body))


def _decode(data: str, place: str) -> bytes:
    """Standard or URL-safe alphabet, with or without padding."""
    text = data.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return pybase64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as exc:
        message = f"Invalid value at '{place}.data' (TYPE_BYTES), Base64 decoding failed"
        raise Refusal(message) from exc


def _sniff(body: bytes) -> str | None:
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:8] == b"ftyp" and body[8:12] in _HEIF_BRANDS:
        return "image/heic"
    return None


def _pixel_size(body: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(body)) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            return (image.height, image.width) if turned else image.size
    except Exception as exc:  # Pillow raises many kinds for a broken header
        raise Refusal(BAD_PICTURE) from exc
