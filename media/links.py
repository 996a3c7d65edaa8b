"""Absolute links to our own pages."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def absolute(request: HttpRequest, name: str, **parts: Any) -> str:
    """A link by the name of its URL."""
    return link_to(request, reverse(name, kwargs=parts))


def link_to(request: HttpRequest, path: str) -> str:
    """Under ``PUBLIC_BASE_URL``, or else as the caller reached us."""
    base: str = settings.PUBLIC_BASE_URL
    return f"{base}{path}" if base else request.build_absolute_uri(path)
