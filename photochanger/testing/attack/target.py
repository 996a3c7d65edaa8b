"""Whom an attack is for, and the line it comes over: that of a stranger, not the loopback's."""

import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

# A fast one: loopback alone would measure how quickly this machine can talk to itself.
ROUND_TRIP_S, LINE_BYTES_PER_S = 0.02, 12_500_000
TIMEOUT_S = 60.0


class Line:
    """100 Mbit/s and 20 ms, shared by all connections of an attacker."""

    def __init__(self) -> None:
        self._lock, self._free_at = threading.Lock(), 0.0

    def carry(self, size_bytes: int) -> None:
        """Returns when so many bytes may be sent."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size_bytes / LINE_BYTES_PER_S
            wait_s = self._free_at - now
        time.sleep(wait_s)


@dataclass
class Target:
    """Which server is attacked, until when, and what it answered: statuses, or an error's name."""

    port: int
    password: str
    until: float  # time.monotonic()
    answers: Counter[str] = field(default_factory=Counter)
    line: Line = field(default_factory=Line)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)


Attack = Callable[[Target], None]


class Caller:
    """One client of an attacker: sends requests that are ready, and keeps its connection."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> None:
        """Raises OSError."""
        self._target.line.carry(len(request))
        time.sleep(ROUND_TRIP_S)
        self._socket = self._socket or self._target.connect()
        # Refused before its end: the answer may be there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(request)
        head, is_open = self._read_answer(self._socket)
        self._target.answers[head[9:12].decode("latin-1")] += 1
        if not is_open:
            self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read_answer(self, sock: socket.socket) -> tuple[bytes, bool]:
        """Its head, and whether the connection goes on. Raises OSError."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := sock.recv(65536)):
                raise ConnectionResetError
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        names = dict(line.lower().partition(b": ")[::2] for line in head.split(b"\r\n")[1:])
        left = int(names.get(b"content-length", 1 << 40)) - len(body)
        while left > 0 and (piece := sock.recv(min(left, 65536))):
            left -= len(piece)
        return head, left <= 0 and names.get(b"connection") != b"close"


@contextmanager
def open_many(target: Target, count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        sockets = []
        for _ in range(count):
            with suppress(OSError):
                sockets.append(opened.enter_context(target.connect()))
        yield sockets


def in_threads(work: Callable[[Target], None], target: Target, count: int) -> None:
    """The same by many at once, each again and again until the time is over."""

    def repeat() -> None:
        while not target.is_over:
            try:
                work(target)
            except OSError as exc:
                target.answers[type(exc).__name__] += 1
                time.sleep(ROUND_TRIP_S)

    threads = [threading.Thread(target=repeat) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_in_turn(target: Target, count: int, make_request: Callable[[], bytes]) -> None:
    """Requests of so many callers at once, each the next one when it has its answer."""

    def call(target: Target) -> None:
        caller = Caller(target)
        try:
            while not target.is_over:
                caller.send(make_request())
        finally:
            caller.close()

    in_threads(call, target, count)


def make_post(path: str, body: bytes, content_type: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def make_photo_post(slot: str, password: str, photo: bytes, *, name: str = "a.jpg") -> bytes:
    boundary = secrets.token_hex(8)
    part = f"--{boundary}\r\nContent-Disposition: form-data; name="
    fields = f'{part}"password"\r\n\r\n{password}\r\n{part}"fileToUpload"; filename="{name}"\r\n'
    body = b"".join(
        (
            fields.encode(),
            b"Content-Type: image/jpeg\r\n\r\n",
            photo,
            f"\r\n--{boundary}--".encode(),
        )
    )
    return make_post(f"/ingest/{slot}", body, f"multipart/form-data; boundary={boundary}")
