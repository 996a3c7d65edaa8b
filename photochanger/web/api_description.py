"""The description of the API from its code: `/api/openapi.json`, and the contract file."""

import hashlib
import json
from functools import cache
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import condition, require_safe

from photochanger.api import api


def describe_api() -> dict[str, Any]:
    """The same on every machine and for every reader's language."""
    with translation.override("en"):
        # By way of JSON: what is shared becomes equal, and a status becomes a string.
        document: dict[str, Any] = json.loads(
            json.dumps(api.get_openapi_schema(path_prefix=""), default=str)
        )
    return document


class RenderedDescription(NamedTuple):
    body: bytes
    etag: str


@cache
def render_description() -> RenderedDescription:
    """Once per process, as it starts: it costs 140 ms of CPU, and anybody may ask for it."""
    body = json.dumps(describe_api()).encode()
    return RenderedDescription(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@require_safe
@condition(etag_func=lambda request: render_description().etag)
def openapi_json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_description().body, content_type="application/json")
