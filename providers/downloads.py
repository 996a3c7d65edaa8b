"""Download a result from an address that a provider named, which is not to be trusted."""

import asyncio
import html
import ipaddress
import re
import socket
import time
from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit

import structlog
from django.conf import settings as django_settings

from photochanger.errors import BadResponse, ProviderConfig, ProviderNetwork
from photochanger.pictures import Picture, sniff_result
from providers import http
from providers.retry_hints import find_retry_delay

log = structlog.get_logger()

MAX_RESULT_BYTES = 25 * 1024 * 1024
TIMEOUT_S = 15.0  # of one try; the caller's deadline bounds them all
LONGEST_PAUSE_S = 5.0  # whatever the server asks for
REDIRECTS, MAX_REDIRECTS = (301, 302, 303, 307, 308), 3
PAUSES_S = (0.5, 1.0)  # before the second and the third try
HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){1,20}")
FINAL_DOT = re.compile(
    r"^(https?://[^/?#@:\\]{1,255})\.(?=[/?#:]|$)", re.IGNORECASE
)  # no certificate has it


async def download(address: str, *, base_url: str, hosts: Collection[str]) -> Picture:
    """The picture at ``address``, which may be relative to the service's own host.

    Goes over https to one of ``hosts`` only, or to where ``base_url`` leads; sends no key, and
    follows a redirect to such an address only. Raises BadResponse and ProviderNetwork, both not
    retryable: the picture is paid for, and downloading is retried here.
    """
    base, address = urlsplit(base_url), html.unescape(address).strip()
    if is_host_listed(address.partition("/")[0].lower(), (base.netloc, *hosts)):
        address = f"//{address}"  # written without its scheme
    site = f"{base.scheme}://{base.netloc}/"
    url = resolve_address(address, against=site, base_url=base_url)
    reply = await _fetch_with_retries(url, base_url=base_url, hosts=hosts)
    if not reply.is_good:
        raise BadResponse(f"the result's address answers HTTP {reply.status}")
    mime = sniff_result(reply.body[:16])  # declared types have been missing and wrong
    if mime is None:
        raise BadResponse("the file at the result's address is no picture of a known kind")
    return Picture(body=reply.body, mime=mime)


async def _fetch_with_retries(url: str, *, base_url: str, hosts: Collection[str]) -> http.Reply:
    """Retries where the file may not be published yet. Raises as ``download``."""
    for pause_s in (*PAUSES_S, None):
        try:
            reply = await _fetch(url, base_url=base_url, hosts=hosts)
            if pause_s is None or not may_be_there_soon(reply.status):
                return reply
            hint_s = find_retry_delay(reply.headers) or 0.0
            pause_s = max(pause_s, min(hint_s, LONGEST_PAUSE_S))
        except ProviderNetwork as exc:
            if pause_s is None:
                raise ProviderNetwork(f"the result cannot be fetched: {exc}") from exc
        except ProviderConfig as exc:
            raise BadResponse(f"the result's address is not valid: {exc}") from exc
        await asyncio.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


async def _fetch(url: str, *, base_url: str, hosts: Collection[str]) -> http.Reply:
    """One try, each step of which goes where a result may be, and all in the time of one."""
    ends_at = time.monotonic() + TIMEOUT_S
    for steps_left in range(MAX_REDIRECTS, -1, -1):
        await check_address(url, base_url=base_url, hosts=hosts)
        left_s = max(0.0, ends_at - time.monotonic())
        reply = await http.get(url, max_bytes=MAX_RESULT_BYTES, timeout_s=left_s)
        target = reply.headers.get("location", "") if reply.status in REDIRECTS else ""
        if not target or not steps_left:
            break
        url = resolve_address(target, against=url, base_url=base_url)
    return reply


def resolve_address(address: str, *, against: str, base_url: str) -> str:
    """The whole address, by https where it says http as if no other were there.

    Where the service itself has been configured to be at it stays so. Raises BadResponse.
    """
    try:
        url = FINAL_DOT.sub(r"\1", urljoin(against, address.strip()))
        parts = urlsplit(url)
        is_plain = parts.scheme == "http" and parts.port in (None, 80)
        if is_plain and parse_origin(parts) != parse_origin(urlsplit(base_url)):
            return parts._replace(scheme="https", netloc=parts.netloc.removesuffix(":80")).geturl()
    except ValueError as exc:
        raise BadResponse("the result's address is not valid") from exc
    return url


def may_be_there_soon(status: int) -> bool:
    """Not published yet, or the server is busy: the file itself is paid for."""
    return status == 404 or status >= 500 or http.error_for_status(status, "").retryable


async def check_address(url: str, *, base_url: str, hosts: Collection[str]) -> None:
    """Raises BadResponse for an address that is not allowed, ProviderNetwork without DNS.

    Between this DNS lookup and the connection's own a name may change. The remaining risk is one
    GET without a key to a listed name, which must also present that name's certificate.
    """
    try:
        address, host = urlsplit(url), urlsplit(url).hostname or ""
        has_login = "@" in address.netloc
        origin = parse_origin(urlsplit(FINAL_DOT.sub(r"\1", base_url)))
        if parse_origin(address) == origin and not has_login:
            return  # the service itself, as configured
        scheme, _, port = parse_origin(address)
        is_listed = (scheme, port) == ("https", 443) and is_host_listed(host, hosts)
    except ValueError as exc:
        raise BadResponse("the result's address is not valid") from exc
    if has_login or not is_listed or not await _is_public(host):
        log.warning("provider.result.refused", host=host[:100])
        raise BadResponse(f"the result is at {host[:100]}, which is not allowed")


def is_host_listed(host: str, names: Collection[str]) -> bool:
    """Whether it is one of them; ``.example.com`` stands for its domain and all below it."""
    host = host.rstrip(".")
    for name in (name.strip().lower().rstrip(".") for name in names):
        is_below = name.startswith(".") and host.endswith(name) and HOST.fullmatch(host)
        if host and (host == name.removeprefix(".") or is_below):
            return True
    return False


def parse_origin(address: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port. Raises ValueError for an invalid port."""
    usual = {"http": 80, "https": 443}.get(address.scheme)
    return address.scheme, address.hostname, address.port or usual


async def _is_public(host: str) -> bool:
    """Whether a name resolves to public addresses only. Raises ProviderNetwork."""
    if django_settings.PROVIDER_PROXY_URL:
        return True  # the proxy resolves names, which our resolver may not even know
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise ProviderNetwork(f"the result's host {host[:100]} is not found") from exc
    return all(is_public(str(address[0])) for *_, address in found)


def is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast
