"""Who can open an address: this machine alone, its network, or everybody. No name is looked up."""

import ipaddress
import re
import socket
import time
from contextlib import suppress
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

# Docker Desktop writes the last into the hosts file of its machine.
LOOPBACK_NAMES = ("localhost", "ip6-localhost", "ip6-loopback", "kubernetes.docker.internal")
# Of the hosts file, and of public names that lead to 127.0.0.1 for developers.
LOOPBACK_NAME = re.compile(
    r"localhost[46]?\.localdomain[46]?|(.+\.)?(localhost|localtest\.me|lvh\.me)"
)
PRIVATE_ENDINGS = (".local", ".localdomain", ".internal", ".lan", ".home", ".home.arpa", ".test")
# Public names that lead to the address which stands in them: foto.192-168-1-5.nip.io.
WITH_ADDRESS = re.compile(
    r"(?:.*[.-])?(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})\.(?:nip|sslip)\.io", re.ASCII
)
# Browsers read "127.1" and "0x7f000001" as addresses too.
ODD_IPV4 = re.compile(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}")
# Nobody is there: asking the kernel for the way to it sends nothing.
FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
# In a container an address of these is its own, between it and its machine: Docker's and Podman's.
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
CONTAINER_NETWORKS = tuple(map(ipaddress.ip_network, ("172.16.0.0/12", "10.88.0.0/16")))
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
FRESH_S = 10.0  # a laptop may join the hall's Wi-Fi while the server runs


class Reach(IntEnum):
    """How far away a link may be followed."""

    MACHINE = 0  # localhost and its like
    NAME = 1  # a bare name, such as a computer's: phones seldom know it
    NETWORK = 2
    WORLD = 3


@lru_cache(maxsize=64)
def judge_address(address: str) -> Reach:
    """By the host of a URL."""
    try:
        return judge_host(urlsplit(address).hostname or "")
    except ValueError:  # brackets that do not match
        return Reach.MACHINE


def judge_host(host: str) -> Reach:
    host = host.strip("[]").rstrip(".").lower()
    within = WITH_ADDRESS.fullmatch(host)
    if (ip := _parse_ip(".".join(within.groups()) if within else host)) is not None:
        return _judge_ip(ip)
    if not host or host in LOOPBACK_NAMES or LOOPBACK_NAME.fullmatch(host):
        return Reach.MACHINE
    if "." not in host:
        return Reach.NAME
    return Reach.NETWORK if host.endswith(PRIVATE_ENDINGS) else Reach.WORLD


def _parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    if ODD_IPV4.fullmatch(host):
        with suppress(OSError):
            return IPv4Address(socket.inet_aton(host))
    return None


def _judge_ip(ip: IPv4Address | IPv6Address) -> Reach:
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    is_this_host = ip in THIS_NETWORK if ip.version == 4 else ip.is_unspecified
    leads_nowhere = is_this_host or ip.is_loopback or ip.is_link_local or ip.is_multicast
    if leads_nowhere:
        return Reach.MACHINE
    return Reach.WORLD if ip.is_global else Reach.NETWORK


PROBE_S = 0.2


def find_own_address() -> str:
    """This machine's address in its network, as part of a URL; empty when it is in none, or in
    one between a container and its machine."""
    return _ask_kernel(_now())


def _is_of_container(ip: str) -> bool:
    """Whether nobody beside the container's own machine reaches it there."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    is_inner = any(address in network for network in CONTAINER_NETWORKS)
    return is_inner and any(mark.exists() for mark in CONTAINER_MARKS)


def is_listening(address: str, port: int) -> bool:
    """Whether this machine takes connections there: asked of itself, in microseconds."""
    return _try_to_connect(address, port, _now())


def _now() -> int:
    return int(time.monotonic() / FRESH_S)


@lru_cache(maxsize=1)
def _ask_kernel(now: int) -> str:
    """The address from which we would send: no packet leaves."""
    for family, far_away in FAR_AWAY:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far_away, 9))
            ip = probe.getsockname()[0]
            if judge_host(ip) >= Reach.NETWORK and not _is_of_container(ip):
                return f"[{ip}]" if family == socket.AF_INET6 else str(ip)
    return ""


@lru_cache(maxsize=4)
def _try_to_connect(address: str, port: int, now: int) -> bool:
    try:
        socket.create_connection((address.strip("[]"), port), PROBE_S).close()
    except OSError:
        return False
    return True


def find_listening_port(bind: str, address: str) -> int | None:
    """The port at which a server with this ``BIND`` answers ``address``; None when it does not."""
    host, colon, port = bind.strip().rpartition(":")
    if not colon or not port.isdecimal():
        return None
    host = host.strip("[]")
    is_everywhere = host in ("", "0.0.0.0", "::")  # noqa: S104  what the operator wrote
    return int(port) if is_everywhere or host == address.strip("[]") else None
