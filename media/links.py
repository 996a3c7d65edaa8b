"""Absolute links to our own pages."""

from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.urls import reverse


def build_url(request: HttpRequest, name: str, **parts: Any) -> str:
    """An absolute address by the name of its URL."""
    return build_url_of_path(request, reverse(name, kwargs=parts))


def find_link_base(request: HttpRequest) -> str:
    """Where our links begin for this caller, without a slash at the end.

    Empty when it reached us by a name that is not ours (``ALLOWED_HOSTS``), or that cannot be one:
    a link to there could lead anywhere.
    """
    try:
        return build_url_of_path(request, "/").removesuffix("/")
    except DisallowedHost:
        return ""


def build_url_of_path(request: HttpRequest, path: str) -> str:
    """Under ``PUBLIC_BASE_URL``, or else as the caller reached us."""
    base: str = settings.PUBLIC_BASE_URL
    return f"{base}{path}" if base else request.build_absolute_uri(path)
