"""Non-blocking log lines to syslog: `SYSLOG_ADDRESS`."""

import contextlib
import logging
import socket
import threading
import time
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from typing import cast
from urllib.parse import urlsplit

LOOKUP_RETRY_S = 60  # for a host name that could not be resolved


def parse_address(text: str) -> str | tuple[str, int]:
    """``/dev/log`` is a local socket; ``host``, ``host:port``, ``[::1]:514`` are UDP.

    Raises ValueError, which does not repeat the text.
    """
    if text.startswith("/"):
        return text
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.netloc != text or "@" in text:
        raise ValueError("it is neither a socket's path nor host:port")
    return host, port or SYSLOG_UDP_PORT


class NonBlockingSyslogHandler(SysLogHandler):
    """Drop a line that syslog cannot take at once: a photo must not wait for its log.

    The lines are on stderr too. After an outage syslog is found again without a restart.
    """

    ident = "photochanger: "
    append_nul = False  # today's daemons take a datagram as it is

    def __init__(self, address: str) -> None:
        self._next_lookup_at = 0.0
        where: str | tuple[str, int] = ""
        # A system check reports a wrong one; the log must exist before the checks run.
        with contextlib.suppress(ValueError):
            where = parse_address(address)
        # Datagrams only: connecting a stream may wait.
        super().__init__(where, socktype=socket.SOCK_DGRAM)

    def createSocket(self) -> None:
        """Called when the handler is made, then by ``emit`` while there is no socket."""
        self.unixsocket = isinstance(self.address, str)
        if self.unixsocket:
            super().createSocket()
        elif self._next_lookup_at == 0.0:  # the process is only starting: it may wait for DNS
            self._resolve_host()
        elif time.monotonic() >= self._next_lookup_at:
            self._next_lookup_at = time.monotonic() + LOOKUP_RETRY_S
            threading.Thread(target=self._resolve_host, daemon=True).start()

    def _resolve_host(self) -> None:
        """Once: the base class would resolve the name for every line."""
        self._next_lookup_at = time.monotonic() + LOOKUP_RETRY_S
        host, port = cast(tuple[str, int], self.address)
        try:
            offered = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            # IPv4 if there is a choice: nothing would report that nobody listens on IPv6.
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
        """Syslog is unavailable or full: nothing to do, and nothing to report on stderr."""
