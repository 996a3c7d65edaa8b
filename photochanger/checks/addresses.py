"""Whether a setting holds an address that can be called: a mistyped one would fail every photo."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from photochanger.value_checks import PROXY, WEB, find_fault

ADDRESSES: dict[str, tuple[str, ...]] = {
    "PUBLIC_BASE_URL": WEB,
    "PUBLIC_MEDIA_BASE_URL": WEB,
    "GEMINI_BASE_URL": WEB,
    "TURBOTEXT_BASE_URL": WEB,
    "PROVIDER_PROXY_URL": PROXY,
    "TELEGRAM_BASE_URL": WEB,
    "TELEGRAM_PROXY_URL": PROXY,
    "S3_ENDPOINT_URL": WEB,
}


def check_addresses() -> Iterator[checks.CheckMessage]:
    """One sentence for each wrong one; never the value, which may hold a password."""
    for name, schemes in ADDRESSES.items():
        value = getattr(settings, name)
        if fault := find_fault(value, schemes) if value else "":
            example = (
                "socks5://proxy.example.com:1080" if schemes is PROXY else "https://example.com"
            )
            yield checks.Error(
                f"{name} is not an address like {example}: {fault}.", id="photochanger.E005"
            )
    if fault := find_version_fault(settings.GEMINI_BASE_URL):
        yield checks.Error(f"GEMINI_BASE_URL: {fault}.", id="photochanger.E005")
    if settings.GEMINI_AUTH not in ("header", "bearer"):
        yield checks.Error(
            "GEMINI_AUTH is neither header nor bearer.",
            hint="header: x-goog-api-key, as Google wants it; bearer: Authorization, for relays.",
            id="photochanger.E012",
        )


def find_version_fault(base_url: str) -> str:
    """We add version and method ourselves; with them already there each call would be a 404."""
    path = urlsplit(base_url).path if not find_fault(base_url) else ""
    segments = path.strip("/").split("/")
    if segments[-1] == settings.GEMINI_API_VERSION or re.fullmatch(
        r"v\d+(alpha|beta)?", segments[-1]
    ):
        return "leave out the version at its end, GEMINI_API_VERSION adds it"
    if "models" in segments or ":" in path:
        return "leave out the model and the method, they are added"
    return ""
