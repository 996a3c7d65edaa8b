"""Examples of the administrators' API, word for word those of the customer's specification."""

from typing import Any

from photochanger.openapi import error_responses
from photochanger.pictures import EXTENSIONS

ANY = ("unauthorized", "forbidden", "internal_error", "storage_error")
UPLOAD = (
    *("invalid_request", "invalid_image", "slot_not_found"),
    *("payload_too_large", "unsupported_media_type", *ANY),
)
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


def _describe_links(**links: dict[str, Any]) -> dict[str, Any]:
    """What to do next with an answer."""
    return {"links": {name: {"operationId": name, **how} for name, how in links.items()}}


SLOT_ID, MEDIA_ID = "$response.body#/slot_id", "$response.body#/media_object_id"
AFTER_LIST = _describe_links(get_slot={"parameters": {"slot_id": "$response.body#/0/id"}})
AFTER_GET = _describe_links(
    put_slot={"parameters": {"slot_id": "$response.body#/id"}, "requestBody": "$response.body"},
    get_slot_statistics={"parameters": {"slot_id": "$response.body#/id"}},
)
AFTER_SETTINGS = _describe_links(put_settings={"requestBody": "$response.body"})
AFTER_TEMPLATE = _describe_links(
    put_slot={
        "parameters": {"slot_id": SLOT_ID},
        "requestBody": {
            "template_media": [{"media_kind": "style", "media_object_id": f"{{{MEDIA_ID}}}"}]
        },
    },
    get_template_media={"parameters": {"media_id": MEDIA_ID}},
    delete_template_media={"parameters": {"media_id": MEDIA_ID}},
)
AFTER_PHOTO = _describe_links(
    test_run={
        "parameters": {"slot_id": SLOT_ID, "as": "json"},
        "requestBody": {"media_object_id": f"{{{MEDIA_ID}}}"},
    }
)


def _describe_body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return {"required": True, "content": {"application/json": content}}


def describe_upload(after: dict[str, Any]) -> dict[str, Any]:
    wrong = {"file": "This field is needed."}
    return {"responses": {200: after, **error_responses(*UPLOAD, fields=wrong)}}


PUT_SLOT = {
    "requestBody": _describe_body("SlotIn", SLOT_EXAMPLE),
    "responses": error_responses(
        *("invalid_request", "slot_not_found", "version_conflict", "payload_too_large", *ANY),
        fields={
            "settings.prompt": "This field is needed.",
            "size_limit_mb": "Too large: at most 20 is allowed.",
        },
    ),
}
PUT_SETTINGS = {
    "requestBody": _describe_body("SettingsIn", SETTINGS_EXAMPLE),
    "responses": error_responses(
        *("invalid_request", "payload_too_large", *ANY),
        fields={"sync_response_seconds": "Too small: at least 10 is needed."},
    ),
}
