"""OpenAPI descriptions of file responses: Ninja knows neither their headers nor their types."""

from typing import Any

from media.guests.refusals import NoPublicAddress, ViewOnly, describe_refusal
from photochanger.openapi import error_responses

BINARY = {"type": "string", "format": "binary"}
RESULT_TYPES = ("image/jpeg", "image/png", "image/webp")
EXAMPLE_ETAG = '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'


def _describe_header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def _describe_request_header(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": False,
        **_describe_header(description, example),
    }


CONDITIONS = [
    _describe_request_header(
        "Range", "One part of the file; several at once get the whole.", "bytes=0-1023"
    ),
    _describe_request_header(
        "If-Range", "ETag or date: a part only if the file is still that one.", EXAMPLE_ETAG
    ),
    _describe_request_header(
        "If-None-Match", "ETag of what the caller has: 304 if that is it.", EXAMPLE_ETAG
    ),
    _describe_request_header(
        "If-Modified-Since",
        "Date of what the caller has; ignored beside `If-None-Match`.",
        "Sun, 22 Nov 2026 16:31:00 GMT",
    ),
]


def _describe_file(
    words: str, types: tuple[str, ...], *, disposition: str, cache: str
) -> dict[str, Any]:
    headers = {
        "Content-Disposition": _describe_header("How to take it, and a file name.", disposition),
        "Content-Length": {"description": "Bytes sent.", "schema": {"type": "integer"}},
        "ETag": _describe_header("Strong; never changes for this address.", EXAMPLE_ETAG),
        "Last-Modified": _describe_header("When it was stored.", "Sun, 22 Nov 2026 16:31:00 GMT"),
        "Accept-Ranges": _describe_header("Parts may be asked for.", "bytes"),
        "Cache-Control": _describe_header(
            "Never kept by proxies, never shown after its time.", cache
        ),
        "X-Robots-Tag": _describe_header("Not for search engines.", "noindex"),
    }
    return {
        "description": words,
        "headers": headers,
        "content": {mime: {"schema": BINARY} for mime in types},
    }


def _describe_responses(
    types: tuple[str, ...], *, disposition: str, cache: str
) -> dict[int, dict[str, Any]]:
    kind = {"disposition": disposition, "cache": cache}
    part = _describe_file("The part of the picture that was asked for.", types, **kind)
    part["headers"]["Content-Range"] = _describe_header(
        "Which part, and of how many.", "bytes 0-1023/4096"
    )
    refusals = error_responses(
        *("result_not_found", "result_expired", "range_not_satisfiable"),
        *("internal_error", "storage_error"),
    )
    refusals[416]["headers"] = {
        "Content-Range": _describe_header("How long the file is.", "bytes */4096")
    }
    kept = ("ETag", "Last-Modified", "Cache-Control")
    return {
        200: _describe_file("The picture; the type is that of the content.", types, **kind),
        206: part,
        304: {
            "description": "The caller has it already; no body.",
            "headers": {name: part["headers"][name] for name in kept},
        },
        **refusals,
    }


GET_RESULT: dict[str, Any] = {
    "parameters": CONDITIONS,
    "responses": _describe_responses(
        RESULT_TYPES,
        disposition='attachment; filename="photo-0b5e6a1c-6f0e-4c55-9d0a-6f1f1c6a2b37.jpg"',
        cache="private, no-cache",
    ),
}
GET_PREVIEW: dict[str, Any] = {
    "parameters": CONDITIONS,
    "responses": _describe_responses(
        ("image/webp",),
        disposition='inline; filename="photo-0b5e6a1c-6f0e-4c55-9d0a-6f1f1c6a2b37-preview.webp"',
        cache="private, max-age=300, must-revalidate",
    ),
}
DELETE_RESULT: dict[str, Any] = {
    "responses": {
        204: {"description": "Deleted: the link answers 410 from now on."},
        **describe_refusal(
            ViewOnly,
            *("result_not_found", "result_expired"),
            *("internal_error", "storage_error"),
        ),
    }
}
GET_SHARE_PICTURE: dict[str, Any] = {
    "responses": {
        200: {
            "description": "A JPEG of at most 300 kB.",
            "content": {"image/jpeg": {"schema": BINARY}},
        },
        304: {"description": "The caller has it already; no body."},
        **error_responses(
            *("result_not_found", "result_expired", "rate_limited"),
            *("internal_error", "storage_error"),
        ),
    }
}
GET_PROVIDER_MEDIA: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The picture; the type is that of the content.",
            "headers": {
                "Cache-Control": _describe_header("It is gone when the job is.", "no-store"),
                "X-Robots-Tag": _describe_header("Not for search engines.", "noindex"),
            },
            "content": {mime: {"schema": BINARY} for mime in ("image/jpeg", "image/png")},
        },
        **error_responses("result_not_found", "result_expired", "internal_error", "storage_error"),
    }
}
GET_RESULT_QR: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The absolute address of the guest page as a QR code.",
            "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        },
        **describe_refusal(
            NoPublicAddress,
            *("result_not_found", "result_expired"),
            *("internal_error", "storage_error"),
        ),
    }
}
