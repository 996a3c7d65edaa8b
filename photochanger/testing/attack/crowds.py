"""Attacks of strangers by number alone: as many connections or bytes as the server has room for."""

import time
import uuid
from contextlib import suppress

from photochanger.server.limits import MAX_CONNECTIONS, raise_file_limit
from photochanger.testing.attack.target import (
    Attack,
    Target,
    in_threads,
    make_photo_post,
    open_many,
)


def crowd_with_refusals(target: Target) -> None:
    """More connections than the server takes, each asking for a picture that does not exist."""
    ask = f"GET /public/results/{uuid.uuid4()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    raise_file_limit()
    with open_many(target, MAX_CONNECTIONS + 200) as sockets:
        for each in sockets:
            with suppress(OSError):
                each.sendall(ask)
        while not target.is_over:
            time.sleep(0.2)


def complete_heads_together(target: Target) -> None:
    """1,000 heads but for their last line, and then all of these in one instant."""
    while not target.is_over:
        with open_many(target, 1000) as sockets:
            for piece in (b"GET /public/slots/slot-001 HTTP/1.1\r\nHost: x\r\n", b"\r\n"):
                for each in sockets:
                    with suppress(OSError):
                        each.sendall(piece)
                time.sleep(1)


def trickle_bodies(target: Target) -> None:
    """More photos than one address may send at once: whole but for an end that comes by bytes."""
    size = 14_900_000
    request = make_photo_post("slot-001", "", b"\xff\xd8\xff\xe0" + bytes(size))

    def send(target: Target) -> None:
        with target.connect() as one:
            one.sendall(request[:size])
            one.settimeout(0.7)
            while not target.is_over:
                with suppress(TimeoutError):
                    target.answers[one.recv(12)[9:].decode()] += 1
                    return
                one.sendall(b"0")

    in_threads(send, target, 36)


CROWDS: list[Attack] = [crowd_with_refusals, complete_heads_together, trickle_bodies]
