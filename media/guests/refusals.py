"""What links of guests may be refused: common reasons, in words for guests."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from photochanger.errors import AppError, Forbidden, PathNotFound
from photochanger.openapi import error_responses


class ViewOnly(Forbidden):
    sentence = _(
        "This link only shows the picture. Whoever has the booth's own link can delete it."
    )


class NoPublicAddress(PathNotFound):
    sentence = _(
        "This address opens on the server itself only. An administrator must set PUBLIC_BASE_URL."
    )


def describe_refusal(kind: type[AppError], *reasons: str) -> dict[int, dict[str, Any]]:
    """OpenAPI responses of ``reasons``, and of this kind in its own words."""
    described = error_responses(kind.reason, *reasons)
    body = kind().to_json("en")
    example = described[kind.status]["content"]["application/json"]["examples"]
    description = described[kind.status]["description"]
    general = example[kind.reason]["value"]["details"]
    described[kind.status]["description"] = description.replace(general, str(body["details"]))
    example[kind.reason]["value"] = body
    return described
