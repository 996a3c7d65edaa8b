"""What the API's description says of the booth's POST: Ninja sees neither form nor picture there,
since the view reads the one itself and answers with the other."""

from typing import Any

from photochanger.openapi import EXAMPLE_JOB, error_responses
from photochanger.pictures import EXTENSIONS

BINARY = {"type": "string", "format": "binary"}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


FORM = {
    "type": "object",
    "required": ["password", "fileToUpload"],
    "properties": {
        "password": _text("The booth password: of the slot if it has one, else of all slots."),
        "fileToUpload": {
            **BINARY,
            "description": "The photo: JPEG, PNG or WEBP by content, whatever it is called. "
            "`file` and `image` are accepted as names of this field too.",
        },
        "hash": _text(
            "MD5, SHA-1 or SHA-256 of the photo in hex, or whatever a booth sends: what matches "
            "is recorded; a mismatch is refused only where an administrator wants that."
        ),
        "id": _text("The booth's own number of the photo; kept with the job."),
        "name": _text("The booth's name; kept with the job.", examples=["DESKTOP-K968T3F"]),
        "version": _text("Version of the booth's software; kept with the job."),
        "time": _text(
            "Sent by booths and ignored, as are all other fields that no `variables` of the slot "
            "name."
        ),
        "user_id": _text("Ignored."),
        "profile": _text("Ignored."),
        "status": _text("Ignored."),
        "model": _text("Ignored."),
    },
    "additionalProperties": True,
}

IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "One photo, one key: sent again with the same photo it gives the same picture; "
    "with another photo it is refused (409). Without a key equal photos are recognised by their "
    "content, unless an administrator has switched that off.",
    "schema": {"type": "string", "maxLength": 200},
}

PICTURE: dict[str, Any] = {
    "description": "The picture itself, never compressed and never in chunks. The type is that of "
    "the content.",
    "headers": {
        "X-Job-Id": {
            "description": "Ask `/api/jobs/{job_id}` about this photo.",
            "schema": {"type": "string", "format": "uuid"},
            "example": EXAMPLE_JOB,
        },
        "X-Result-Url": {
            "description": "The guest's link to the picture, good until the result expires.",
            "schema": {"type": "string", "format": "uri"},
            "example": f"https://photos.example.com/public/results/{EXAMPLE_JOB}",
        },
        "X-PhotoChanger-Fallback": {
            "description": "`original`: the photo failed, and the slot answers with the booth's "
            "own photo instead of an error.",
            "schema": {"type": "string", "enum": ["original"]},
        },
        "X-PhotoChanger-Replay": {
            "description": "`1` when this is the picture of an equal photo sent before; absent "
            "otherwise.",
            "schema": {"type": "string", "enum": ["1"]},
        },
    },
    "content": {mime: {"schema": BINARY} for mime in EXTENSIONS},
    "links": {
        name: {"operationId": name, "parameters": {"job_id": "$response.header.X-Job-Id"}}
        for name in ("get_job", "get_result", "get_preview", "get_result_qr", "delete_result")
    },
}

INGEST: dict[str, Any] = {
    "parameters": [IDEMPOTENCY_KEY],
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}},
    "responses": {
        200: PICTURE,
        **error_responses(
            *("invalid_request", "invalid_image", "checksum_mismatch", "invalid_password"),
            *("slot_not_found", "slot_disabled", "idempotency_conflict", "payload_too_large"),
            *("unsupported_media_type", "rate_limited", "internal_error", "storage_error"),
            "budget_spent",
            *("bad_response", "content_blocked", "provider_rejected", "network", "provider_5xx"),
            *("quota", "provider_auth", "provider_config", "timeout"),
        ),
    },
}

ADMIN = ("unauthorized", "forbidden", "internal_error", "storage_error")
TEST_FORM = {
    "type": "object",
    "properties": {
        "test_image": {**BINARY, "description": "The photo: JPEG, PNG or WEBP by content."},
        "media_object_id": _text(
            "Instead of a photo: one that `POST /api/media/register` has stored for this slot."
        ),
        "slot_payload": _text(
            "What the form of the slot says and is not saved: JSON like that of "
            "`PUT /api/slots/{slot_id}`. It holds for this photo only.",
            examples=['{"settings": {"prompt": "As a watercolour"}}'],
        ),
    },
}
TEST_RUN: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": TEST_FORM}}},
    "responses": {
        200: {
            **PICTURE,
            "description": "The picture itself; or with `as=json` how it went.",
            "headers": {name: PICTURE["headers"][name] for name in ("X-Job-Id", "X-Result-Url")},
            "content": {
                **PICTURE["content"],
                "application/json": {"schema": {"$ref": "#/components/schemas/TestRunOut"}},
            },
        },
        **error_responses(
            *("invalid_request", "invalid_image", "slot_not_found", "payload_too_large"),
            *("unsupported_media_type", "rate_limited", "budget_spent", *ADMIN),
            *("bad_response", "content_blocked", "provider_rejected", "network", "provider_5xx"),
            *("quota", "provider_auth", "provider_config", "timeout"),
            fields={"settings.prompt": "This field is needed."},
        ),
    },
}
RESULTS_ZIP: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The ZIP; its length is known beforehand.",
            "content": {"application/zip": {"schema": BINARY}},
        },
        **error_responses(
            *("invalid_request", "slot_not_found", *ADMIN),
            fields={"since": "A date and time is needed, like 2026-11-30T18:00:00Z."},
        ),
    }
}
PURGE: dict[str, Any] = {
    "responses": error_responses(
        *("invalid_request", "slot_not_found", "payload_too_large", *ADMIN),
        fields={"confirm": "Type what is to be deleted, to confirm it."},
    )
}
