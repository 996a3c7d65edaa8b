"""Who may read /metrics."""

import ipaddress
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from photochanger.errors import Unauthorized
from photochanger.host_names import normalize_network, unmap_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_metrics_access(request: HttpRequest) -> None:
    """Admit by token or by network. Raises Unauthorized."""
    if not (_has_token(request) or _is_in_network(request)):
        raise Unauthorized("no valid token, and not in METRICS_NETWORKS")


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_right = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return bool(settings.METRICS_TOKEN) and scheme.lower() == "bearer" and is_right


def _is_in_network(request: HttpRequest) -> bool:
    # Behind a proxy that is not in TRUSTED_PROXIES, all clients have the proxy's address.
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if is_forwarded and not settings.TRUSTED_PROXIES:
        return False
    try:
        address = ipaddress.ip_address(unmap_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return False
    networks = _parse_networks(tuple(settings.METRICS_NETWORKS))
    return any(address in network for network in networks)


@cache
def _parse_networks(texts: tuple[str, ...]) -> list[Network]:
    return [ipaddress.ip_network(normalize_network(text)) for text in texts]
