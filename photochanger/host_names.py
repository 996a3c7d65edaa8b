"""Hosts and addresses in the one spelling that requests use, whoever wrote them."""

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote

USUAL_PORTS = {"http": ":80", "https": ":443"}
ADDRESS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9]*)://(?P<user>[^/?#]*@)?"
    r"(?P<host>\[[^\[\]/]*\]|[^:/?#@\[\]]+)(?P<port>:\d+)?(?P<rest>[/?#].*)?"
)
MAPPED_BITS = 96  # an IPv4 address stands behind so many bits of an IPv6 one


def normalize_host(host: str) -> str:
    """Small letters, ASCII (IDNA), no final dot, the short form of IPv6 in brackets.

    A dot before it stays there. Raises ValueError for a name that cannot be looked up.
    """
    with suppress(ValueError):
        return f"[{IPv6Address(host.strip('[]'))}]"
    dot = "." if host.startswith(".") else ""
    name = host.removeprefix(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError as exc:
            raise ValueError("must have a name that can be looked up") from exc
        if not re.fullmatch(r"[\w.-]+", name):  # a sign that only looks like a letter
            raise ValueError("must have a name that can be looked up")
    return dot + name.removesuffix(".")


def normalize_address(address: str) -> str:
    """Its host so, without a usual port, its path in ASCII; what is no address stays as it is.

    Raises ValueError for a name that cannot be looked up.
    """
    match = ADDRESS.fullmatch(address)
    if match is None:
        return address
    scheme = match["scheme"].lower()
    port = (match["port"] or "").removesuffix(USUAL_PORTS.get(scheme, "-"))
    rest = re.sub(r"[^\x00-\x7f]+", lambda found: quote(found[0]), match["rest"] or "")
    return f"{scheme}://{match['user'] or ''}{normalize_host(match['host'])}{port}{rest}"


def normalize_network(text: str) -> str:
    """A network by its first address, one of IPv4 also where it is written as IPv6.

    Raises ValueError.
    """
    network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= MAPPED_BITS:
        network = ip_network((mapped, network.prefixlen - MAPPED_BITS))
    return str(network)


def unmap_address(text: str) -> str:
    """An IPv4 address as such, also from a socket of IPv6; any other text as it is."""
    with suppress(ValueError):
        mapped = getattr(ip_address(text), "ipv4_mapped", None)
        return str(mapped) if mapped is not None else text
    return text
