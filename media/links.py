"""Absolute links to our own pages."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def build_url(request: HttpRequest, name: str, **parts: Any) -> str:
    """An absolute address by the name of its URL."""
    return build_url_of_path(request, reverse(name, kwargs=parts))


def build_url_of_path(request: HttpRequest, path: str) -> str:
    """Under ``PUBLIC_BASE_URL``, or else under the host that the caller used."""
    base: str = settings.PUBLIC_BASE_URL
    return f"{base}{path}" if base else request.build_absolute_uri(path)
