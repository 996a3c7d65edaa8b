"""What a variable's value may be: each returns it, or raises ValueError with words for people.

No message repeats the value.
"""

import re
import zoneinfo
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from photochanger.host_names import normalize_address, normalize_host, normalize_network

BASE_DIR = Path(__file__).resolve().parent.parent
WEB, PROXY = ("http", "https"), ("http", "https", "socks5", "socks5h")
HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.%]+\]")
BIND = re.compile(r"([\w.-]*|\[[0-9A-Fa-f:.%]*\]):(?P<port>\d{1,5})|fd://\d+")
HOST_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?|_[\w-]{1,62}")  # also names outside of ASCII
SCHEME_NAMES = set(PROXY)
SCHEMES = {f"{name}:" for name in PROXY}
NUMERIC = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)  # so the last label of an IPv4 address looks


def check_host(value: str) -> str:
    name = _check_name(value)
    if "_" in name:  # Django refuses such a name before it looks at the list
        raise ValueError("must hold names without _, for no request by one of those is answered")
    return name


def _check_name(value: str) -> str:
    plain = normalize_host(re.sub(r"%[^\]]*", "", value))  # no browser sends an IPv6 zone
    if not HOST.fullmatch(plain):
        raise ValueError("must hold names and addresses alone, without https://, port and path")
    if plain != "*" and not is_host(plain.removeprefix(".").strip("[]")):
        raise ValueError("must hold names and addresses as browsers send them")
    return plain


def check_origin(value: str) -> str:
    """As browsers write it, for nothing else matches: small letters, no slash, no usual port."""
    wildcard = "*." if "://*." in value else ""
    plain = normalize_address(value.removesuffix("/").replace("://*.", "://", 1))
    scheme, _, host = plain.partition("://")
    fault = find_fault(plain)
    if fault or "/" in host:
        words = fault or "without a path"
        raise ValueError(f"must hold origins such as https://photos.example.com: {words}")
    return f"{scheme}://{wildcard}{host}"


def check_zone(value: str) -> str:
    """A host, or with a dot before it a domain and all below it."""
    value = _check_name(value)
    if "*" in value or (value.startswith(".") and value.count(".") < 2):
        raise ValueError("must name hosts such as cdn.example.com, or .example.com for all of them")
    return value


def check_network(value: str) -> str:
    """``*`` is everybody."""
    try:
        return value if value == "*" else normalize_network(value)
    except ValueError as exc:
        raise ValueError("must hold addresses or networks, such as 172.16.0.0/12") from exc


def check_path(value: str) -> str:
    """A relative one is below our own folder, wherever a command is started from."""
    if re.search(r"^~|\$\{?[A-Za-z_]|%\w+%", value):
        raise ValueError("must be a path as it is, for no ~ and no $HOME is replaced in it")
    return str(BASE_DIR / value)


def check_bind(value: str) -> str:
    if value.startswith("unix:"):
        return f"unix:{check_path(value.removeprefix('unix:').removeprefix('//'))}"
    match = BIND.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        raise ValueError("must be an address and a port, such as 0.0.0.0:8000")
    return value


def check_time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("must be a time zone, such as Europe/Moscow") from exc
    return value


def check_word(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise ValueError("must be one word of letters, digits, dots and dashes")
    return value


def check_prefix(value: str) -> str:
    if not re.fullmatch(r"/([\w.~-]+/)+", value):
        raise ValueError("must begin and end with a slash, such as /protected-media/")
    return value


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
    if re.search(r"[?#]", value):  # also with nothing behind it: what we add would be a query
        return "there is a ? or # in it"
    return _find_path_fault(parts, is_proxy=schemes is PROXY)


def is_host(host: str) -> bool:
    if ":" in host:
        return _is_ip(host.partition("%")[0])
    labels = host.removesuffix(".").split(".")
    if NUMERIC.fullmatch(labels[-1]):
        return _is_ip(host)
    return len(host) <= 253 and all(HOST_LABEL.fullmatch(label) for label in labels)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _find_path_fault(parts: SplitResult, *, is_proxy: bool) -> str:
    segments = parts.path.strip("/").split("/")
    if is_proxy and parts.path.strip("/"):
        return "a proxy has no path"
    if any(segment.lower() in SCHEMES for segment in segments):
        return "it begins twice"
    if "//" in parts.path:
        return "there are two slashes in its path"
    if any(one == other for one, other in zip(segments, segments[1:], strict=False)):
        return "a part of its path stands there twice"
    if ".." in segments or "." in segments:
        return "its path leads up again"
    return ""
