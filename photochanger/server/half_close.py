"""Whether a client that has closed its sending side still listens.

TCP says the same of a client that is done sending and of one that is gone. Only an answer tells
them apart: what is gone resets the connection. Every answer begins alike, so its first bytes can be
sent at once, long before the rest is known.
"""

import asyncio
import socket
from collections.abc import Callable
from itertools import chain, repeat

FIRST_BYTES = b"HTTP/1.1 "
LOOKS_AFTER_S = (0.05, 0.2, 0.5)


class BegunAnswer:
    """A transport on which the first bytes of the answer are out already."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._rest = transport, FIRST_BYTES
        transport.write(FIRST_BYTES)

    @property
    def is_answered(self) -> bool:
        """Whether more than the first bytes is out."""
        return not self._rest

    def write(self, data: bytes) -> None:
        self._transport.write(data.removeprefix(self._rest))
        self._rest = b""

    def close(self) -> None:
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


def watch_reset(
    transport: asyncio.Transport, answer: BegunAnswer, *, on_gone: Callable[[], None]
) -> None:
    """Call ``on_gone`` once the client has reset the connection, until it is being answered.

    A transport whose peer has closed is not read any more, so nobody else would notice.
    """
    loop = asyncio.get_running_loop()
    pauses = chain(LOOKS_AFTER_S, repeat(1.0))

    def look() -> None:
        if answer.is_answered or transport.is_closing():
            return
        sock = transport.get_extra_info("socket")
        if sock is None or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            on_gone()
            return
        loop.call_later(next(pauses), look)

    loop.call_later(next(pauses), look)
