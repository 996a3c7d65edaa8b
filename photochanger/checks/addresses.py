"""Whether a setting holds an address that can be called: a mistyped one would fail every photo."""

import re
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core import checks

WEB, PROXY = ("http", "https"), ("http", "https", "socks5", "socks5h")
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
HOST_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?|_[\w-]{1,62}")  # also names outside of ASCII
SCHEME_NAMES = {"http", "https", "socks5", "socks5h"}


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


def find_fault(value: str, schemes: Collection[str] = WEB) -> str:
    """What is wrong with an address, in words that do not repeat it; "" if nothing is."""
    if re.search(r"[\s\x00-\x1f\x7f\"'<>\\^`{|}]", value):
        return "there is a blank or a sign in it that no address has"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in schemes:
        return f"it does not begin with {', '.join(f'{scheme}://' for scheme in schemes)}"
    if host in SCHEME_NAMES or value.count("://") != 1:
        return "it begins twice"
    if not is_host(host) or port == 0 or parts.netloc.endswith(":"):
        return "its host or port cannot be right"
    if "@" in parts.netloc and schemes is not PROXY:
        return "a name or password does not belong into it"
    return _find_path_fault(parts, is_proxy=schemes is PROXY)


def is_host(host: str) -> bool:
    if ":" in host:
        try:
            return ip_address(host.partition("%")[0]).version == 6
        except ValueError:
            return False
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(HOST_LABEL.fullmatch(label) for label in labels)


def _find_path_fault(parts: SplitResult, *, is_proxy: bool) -> str:
    if parts.query or parts.fragment:
        return "nothing may stand behind a ? or # in it"
    segments = parts.path.strip("/").split("/")
    if is_proxy and parts.path.strip("/"):
        return "a proxy has no path"
    if "//" in parts.path:
        return "there are two slashes in its path"
    if any(one == other for one, other in zip(segments, segments[1:], strict=False)):
        return "a part of its path stands there twice"
    if ".." in segments or "." in segments:
        return "its path leads up again"
    return ""


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
