"""Examples of the administrators' API: the brief's, word for word."""

from typing import Any

from photochanger.errors import described
from providers.pictures import EXTENSIONS

ANY = ("unauthorized", "forbidden", "internal_error", "storage_error")
UPLOAD = (
    *("invalid_request", "invalid_image", "slot_not_found"),
    *("payload_too_large", "unsupported_media_type", *ANY),
)
WRONG_FILE = {"file": "This field is needed."}
PICTURE = {
    "description": "The picture; the type is that of the content.",
    "content": {mime: {"schema": {"type": "string", "format": "binary"}} for mime in EXTENSIONS},
}

SLOT_EXAMPLE = {
    "display_name": "Slot 1 (Gemini)",
    "provider": "gemini",
    "operation": "image_edit",
    "is_active": True,
    "size_limit_mb": 20,
    "sync_response_seconds": 48,
    "settings": {"prompt": "Studio portrait", "safety": "standard"},
    "template_media": [
        {"media_kind": "background", "media_object_id": "8b6f0fa6b5b0459fb887c249f2eb5b21"}
    ],
}
SETTINGS_EXAMPLE = {
    "sync_response_seconds": 48,
    "result_ttl_hours": 72,
    "ingest_password": "a-new-password",
    "provider_keys": {"gemini": "a-new-key", "turbotext": None},
}


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return {"required": True, "content": {"application/json": content}}


PUT_SLOT = {
    "requestBody": _body("SlotIn", SLOT_EXAMPLE),
    "responses": described(
        *("invalid_request", "slot_not_found", "version_conflict", "payload_too_large", *ANY),
        fields={
            "settings.prompt": "This field is needed.",
            "size_limit_mb": "Too large: at most 20 is allowed.",
        },
    ),
}
PUT_SETTINGS = {
    "requestBody": _body("SettingsIn", SETTINGS_EXAMPLE),
    "responses": described(
        *("invalid_request", "payload_too_large", *ANY),
        fields={"sync_response_seconds": "Too small: at least 10 is needed."},
    ),
}
