"""``private`` in ALLOWED_HOSTS: this machine in a closed network, whatever address it has today.

A page elsewhere can give a name of its own our address, and read a closed network by the browser of
whoever opens it; it comes with that name. Nobody outside can own an address of a private network,
nor the names taken here.
"""

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress

from media.reach import LOOPBACK_NAMES, PRIVATE_ENDINGS, find_own_address

PRIVATE = "private"


class PrivateHosts(str):
    """Equal to each host that it stands for: Django compares a host with each entry of the list."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and (str.__eq__(self, other) or is_private_host(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def lower(self) -> "PrivateHosts":
        return self  # Django makes a plain one of it else


def read_allowed_hosts(values: Iterable[str]) -> list[str]:
    return [PrivateHosts(PRIVATE) if value.lower() == PRIVATE else value for value in values]


def is_private_host(host: str) -> bool:
    """An address that no stranger can have, this machine's own one, or one of its own names."""
    with suppress(ValueError):
        ip = ipaddress.ip_address(host.strip("[]"))
        is_closed = not (ip.is_global or ip.is_multicast)
        return is_closed or host == find_own_address()
    name = socket.gethostname().lower()
    label = name.partition(".")[0]
    own = {name, label, *(f"{label}{ending}" for ending in PRIVATE_ENDINGS), *LOOPBACK_NAMES}
    return host in own or host.endswith(".localhost")
