"""The names and types of a generateContent request, and the parser that knows no others.

Google parses JSON into protocol buffers: names may be camelCase or snake_case, even mixed, and
an unknown name at any level is an error.
"""

import re
from enum import Enum
from typing import Any

import orjson


class Kind(Enum):
    """Types of single values, under the names the service uses in its messages."""

    STRING = "TYPE_STRING"
    BOOL = "TYPE_BOOL"
    INT = "TYPE_INT32"
    FLOAT = "TYPE_FLOAT"
    BYTES = "TYPE_BYTES"
    ANY = ""


Shape = Kind | frozenset[str] | list["Shape"] | dict[str, "Shape"]

CATEGORIES = frozenset(
    f"HARM_CATEGORY_{name}"
    for name in (
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
        "DANGEROUS_CONTENT",
        "CIVIC_INTEGRITY",
        "JAILBREAK",
    )
)
THRESHOLDS = frozenset(
    {"OFF", "BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE"}
)
TIERS = frozenset({"standard", "priority", "flex"})
LEVELS = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"})

_PART: dict[str, Shape] = {
    "text": Kind.STRING,
    "inlineData": {"mimeType": Kind.STRING, "data": Kind.BYTES},
    "fileData": {"mimeType": Kind.STRING, "fileUri": Kind.STRING},
    "thought": Kind.BOOL,
    "thoughtSignature": Kind.BYTES,
    "functionCall": Kind.ANY,
    "functionResponse": Kind.ANY,
    "executableCode": Kind.ANY,
    "codeExecutionResult": Kind.ANY,
    "videoMetadata": Kind.ANY,
    "mediaResolution": Kind.ANY,
}
_CONTENT: dict[str, Shape] = {"role": Kind.STRING, "parts": [_PART]}
_GENERATION_CONFIG: dict[str, Shape] = {
    "responseModalities": [Kind.STRING],
    "responseMimeType": Kind.STRING,
    "responseSchema": Kind.ANY,
    "responseJsonSchema": Kind.ANY,
    "imageConfig": {"aspectRatio": Kind.STRING, "imageSize": Kind.STRING},
    # Documents disagree on the values of this newer spelling, so only its names are checked.
    "responseFormat": {
        "image": {
            "aspectRatio": Kind.ANY,
            "imageSize": Kind.ANY,
            "mimeType": Kind.ANY,
            "delivery": Kind.ANY,
        }
    },
    "thinkingConfig": {
        "includeThoughts": Kind.BOOL,
        "thinkingBudget": Kind.INT,
        "thinkingLevel": LEVELS,
    },
    "candidateCount": Kind.INT,
    "maxOutputTokens": Kind.INT,
    "seed": Kind.INT,
    "topK": Kind.FLOAT,
    "topP": Kind.FLOAT,
    "temperature": Kind.FLOAT,
    "presencePenalty": Kind.FLOAT,
    "frequencyPenalty": Kind.FLOAT,
    "stopSequences": [Kind.STRING],
    "responseLogprobs": Kind.BOOL,
    "logprobs": Kind.INT,
    "mediaResolution": Kind.STRING,
    "speechConfig": Kind.ANY,
    "enableEnhancedCivicAnswers": Kind.BOOL,
}
REQUEST: dict[str, Shape] = {
    "model": Kind.STRING,  # redundant, sent by some clients
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "generationConfig": _GENERATION_CONFIG,
    "safetySettings": [{"category": CATEGORIES, "threshold": THRESHOLDS}],
    "serviceTier": TIERS,
    "tools": Kind.ANY,
    "toolConfig": Kind.ANY,
    "cachedContent": Kind.STRING,
    "continuationToken": Kind.STRING,
}

_FITS = {
    Kind.STRING: lambda value: isinstance(value, str),
    Kind.BYTES: lambda value: isinstance(value, str),
    Kind.BOOL: lambda value: isinstance(value, bool),
    Kind.INT: lambda value: isinstance(value, int) and not isinstance(value, bool),
    Kind.FLOAT: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def parse(value: Any, shape: Shape, path: str, faults: list[str]) -> Any:
    """The value with camelCase names; what the service would refuse is added to ``faults``."""
    if value is None or shape is Kind.ANY:
        return value
    if isinstance(shape, dict) and isinstance(value, dict):
        return _parse_message(value, shape, path, faults)
    if isinstance(shape, list) and isinstance(value, list):
        return [
            parse(item, shape[0], f"{path}[{number}]", faults) for number, item in enumerate(value)
        ]
    if isinstance(shape, frozenset) and value in shape:
        return value
    if isinstance(shape, Kind) and _FITS[shape](value):
        return value
    type_name = shape.value if isinstance(shape, Kind) else "type.googleapis.com"
    shown = orjson.dumps(value)[:60].decode(errors="replace")
    faults.append(f"Invalid value at '{path}' ({type_name}), {shown}")
    return None


def _parse_message(
    value: dict[str, Any], shape: dict[str, Shape], path: str, faults: list[str]
) -> dict[str, Any]:
    parsed = {}
    for name, item in value.items():
        camel = re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)
        if camel in shape:
            inner = f"{path}.{_to_snake_case(camel)}" if path else _to_snake_case(camel)
            parsed[camel] = parse(item, shape[camel], inner, faults)
            continue
        place = f" at '{path}'" if path else ""
        faults.append(
            f'Invalid JSON payload received. Unknown name "{name[:60]}"{place}: Cannot find field.'
        )
    return parsed


def _to_snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
