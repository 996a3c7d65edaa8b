"""A body of one gigabyte: how much of it does the server read before it refuses?"""

import contextlib
import fcntl
import select
import socket
import struct
import termios
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import MB, Requirements, mb
from photochanger.bench.sides import SLOT
from photochanger.testing import live, server_process

DECLARED_BYTES = 1_000_000_000
CAP_BYTES = 20 * 1024 * 1024
# What a refused sender has pushed into socket buffers, and what the server reads away so that
# the answer is not lost to a reset.
ROOM_BYTES = 2 * MB
MAX_GROWTH_MB = 10.0
PIECE = bytes(64 * 1024)
ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Refusal:
    status: int  # 0: no answer
    taken_bytes: int  # of the body, before the answer came
    answer_s: float


def guard(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    table = Table(title="A body of 1 GB")
    for column in ("body", "status", "taken MB", "bar", "temp left MB", "RSS growth MB", ""):
        table.add_column(column, justify="left" if column == "body" else "right")
    with site.server() as server:
        # Imports take their memory here, and do not count as growth below.
        send_endless_photo(server, body="declared, Expect")
        for body, allowed in BODIES.items():
            before = server.rss_bytes()
            refusal = send_endless_photo(server, body=body)
            time.sleep(0.3)  # files are closed after the answer
            left, growth = site.temp_bytes(server), server.rss_bytes() - before
            is_held = refusal.status == 413 and refusal.taken_bytes <= allowed
            is_held = is_held and not left and growth <= MAX_GROWTH_MB * MB
            table.add_row(
                *(body, str(refusal.status), mb(refusal.taken_bytes), f"<= {mb(allowed)}"),
                *(mb(left), mb(growth), requirements.require(is_held, f"guard: {body}")),
            )
    console.print(table)


BODIES = {
    "declared, Expect": 0,
    "declared": ROOM_BYTES,
    "undeclared, chunked": CAP_BYTES + ROOM_BYTES,
}


def send_endless_photo(server: server_process.Server, *, body: str) -> Refusal:
    """Send a form with an endless photo; stop at the first byte of a response."""
    address = urlsplit(server.url)
    boundary = "-" * 12 + "090306000104030805010400"
    framing = "Transfer-Encoding: chunked" if "chunked" in body else ""
    framing = framing or f"Content-Length: {DECLARED_BYTES}"
    expect = "Expect: 100-continue\r\n" if "Expect" in body else ""
    head = (
        f"POST /ingest/{SLOT} HTTP/1.1\r\nHost: {address.netloc}\r\n{framing}\r\n{expect}"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    )
    start = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="fileToUpload"; '
        'filename="big.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    ).encode() + b"\xff\xd8\xff\xe0"
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        sock.connect((address.hostname or "", address.port or 80))
        sock.sendall(head.encode())
        return _push(sock, start, is_chunked="chunked" in body, waits=bool(expect))


def _push(sock: socket.socket, start: bytes, *, is_chunked: bool, waits: bool) -> Refusal:
    began, taken, piece = time.monotonic(), 0, start
    sock.settimeout(ANSWER_TIMEOUT_S)
    while taken < DECLARED_BYTES and not _has_answer(sock, ANSWER_TIMEOUT_S if waits else 0):
        try:
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
        except OSError:
            break  # closed on us; an answer may still be there to read
        taken += len(piece)
        piece = PIECE
    taken -= min(taken, _count_unsent_bytes(sock))
    answer = b""
    with contextlib.suppress(OSError):
        answer = sock.recv(4096)
    if answer.startswith(b"HTTP/1.1 100") and waits:
        return _push(sock, start, is_chunked=is_chunked, waits=False)  # it asked for the body
    status = int(answer.split(b" ", 2)[1]) if answer else 0
    return Refusal(status, taken, time.monotonic() - began)


def _has_answer(sock: socket.socket, timeout_s: float) -> bool:
    return bool(select.select([sock], [], [], timeout_s)[0])


def _count_unsent_bytes(sock: socket.socket) -> int:
    """Bytes still in our own send buffer, which the server never received."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0\0\0\0"))
    return int(count)
