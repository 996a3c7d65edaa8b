"""Log lines to syslog, without ever waiting for it: `SYSLOG_ADDRESS`."""

import contextlib
import logging
import socket
import threading
import time
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from typing import cast
from urllib.parse import urlsplit

LOOK_UP_AGAIN_S = 60  # for a host name that could not be looked up


def parse_address(text: str) -> str | tuple[str, int]:
    """``/dev/log`` is a local socket; ``host``, ``host:port``, ``[::1]:514`` are UDP.

    Raises ValueError.
    """
    if text.startswith("/"):
        return text
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.netloc != text or "@" in text:
        raise ValueError(f"{text!r} is neither a socket's path nor host:port")
    return parts.hostname, parts.port or SYSLOG_UDP_PORT


class NeverWaitingSyslogHandler(SysLogHandler):
    """A line that syslog cannot take at once is dropped: a photo is worth more than its log.

    The lines are on stderr too. A syslog that comes back later is found again by itself.
    """

    ident = "photochanger: "
    append_nul = False  # today's daemons take a datagram as it is

    def __init__(self, address: str) -> None:
        self._look_up_at = 0.0
        where: str | tuple[str, int] = ""
        # A wrong one is told by a system check; the log must exist before the checks run.
        with contextlib.suppress(ValueError):
            where = parse_address(address)
        # Datagrams only: connecting a stream may wait.
        super().__init__(where, socktype=socket.SOCK_DGRAM)

    def createSocket(self) -> None:
        """Called when the handler is made, then by ``emit`` while there is no socket."""
        self.unixsocket = isinstance(self.address, str)
        if self.unixsocket:
            super().createSocket()
        elif self._look_up_at == 0.0:  # the process is only starting: it may wait for the name
            self._look_up()
        elif time.monotonic() >= self._look_up_at:
            self._look_up_at = time.monotonic() + LOOK_UP_AGAIN_S
            threading.Thread(target=self._look_up, daemon=True).start()

    def _look_up(self) -> None:
        """Once: the base class would look the name up for every line."""
        self._look_up_at = time.monotonic() + LOOK_UP_AGAIN_S
        host, port = cast(tuple[str, int], self.address)
        try:
            offered = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            # IPv4 if there is a choice: no answer would tell that nobody listens on the other.
            family, *_, found = min(offered, key=lambda offer: offer[0] != socket.AF_INET)
            udp = socket.socket(family, socket.SOCK_DGRAM)
        except OSError:
            return
        udp.setblocking(False)
        self.address = cast(tuple[str, int], found)
        self.socket = udp

    def _connect_unixsocket(self, address: str) -> None:
        super()._connect_unixsocket(address)  # type: ignore[misc]  # not in the stubs
        self.socket.setblocking(False)

    def handleError(self, record: logging.LogRecord) -> None:
        """Syslog is away or full: nothing is to be done, and nothing to be said on stderr."""
