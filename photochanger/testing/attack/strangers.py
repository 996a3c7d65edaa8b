"""Attacks of those who have nothing but the address of the server."""

import itertools
import secrets
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from photochanger.testing.server_process import Server


@dataclass
class Target:
    """Who is attacked, until when, and what it answered: statuses, or the name of an error."""

    server: Server
    password: str
    until: float
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=5)


Attack = Callable[[Target], None]


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
            except (OSError, httpx.HTTPError) as exc:
                target.answers[type(exc).__name__] += 1

    threads = [threading.Thread(target=repeat) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_heads_slowly(target: Target) -> None:
    """300 connections, each a letter of its head a second."""
    with open_many(target, 300) as sockets:
        for letter in itertools.cycle(b"GET /livez HTTP/1.1\r\nX-Slow: " + b"a" * 200):
            if target.is_over:
                return
            for each in sockets:
                with suppress(OSError):
                    each.send(bytes([letter]))
            time.sleep(1)


def leave_bodies_half_sent(target: Target) -> None:
    """200 photos whose second half never comes."""
    head = (
        "POST /ingest/slot-001 HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        'Content-Disposition: form-data; name="fileToUpload"; filename="a.jpg"\r\n\r\n'
    )
    with open_many(target, 200) as sockets:
        for each in sockets:
            with suppress(OSError):
                each.sendall(head.encode() + b"\xff\xd8\xff\xe0" + bytes(100_000))
        while not target.is_over:
            time.sleep(0.2)


def send_endless_heads(target: Target) -> None:
    """Heads that grow until somebody says no."""

    def grow(target: Target) -> None:
        with target.connect() as one:
            one.sendall(b"GET / HTTP/1.1\r\n")
            while not target.is_over:
                one.sendall(b"X-Long: " + b"a" * 8000 + b"\r\n")

    in_threads(grow, target, 10)


def read_no_answer(target: Target) -> None:
    """50 connections ask 200 times in one breath and take no answer."""
    with open_many(target, 50) as sockets:
        while not target.is_over:
            for each in sockets:
                each.settimeout(0.05)
                with suppress(OSError):
                    each.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
            time.sleep(0.5)


def send_many_parts(target: Target) -> None:
    """Forms of 20,000 parts each."""
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    body = part * 20_000 + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    def post(target: Target) -> None:
        url = f"{target.server.url}/ingest/slot-001"
        _count(target, httpx.post(url, content=body, headers=headers, timeout=60))

    in_threads(post, target, 8)


def guess_booth_passwords(target: Target) -> None:
    def post(target: Target) -> None:
        answer = httpx.post(
            f"{target.server.url}/ingest/slot-001",
            data={"password": secrets.token_hex(5)},
            files={"fileToUpload": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(2000), "image/jpeg")},
            timeout=60,
        )
        _count(target, answer)

    in_threads(post, target, 32)


def guess_administrators(target: Target) -> None:
    def post(target: Target) -> None:
        who = {"username": secrets.token_hex(4), "password": secrets.token_hex(8)}
        _count(target, httpx.post(f"{target.server.url}/api/login", json=who, timeout=60))

    in_threads(post, target, 32)


def guess_results(target: Target) -> None:
    def get(target: Target) -> None:
        with httpx.Client(timeout=60) as client:
            for _ in range(50):
                for end in ("", "/page", "/preview", "/qr.svg"):
                    url = f"{target.server.url}/public/results/{uuid.uuid4()}{end}"
                    _count(target, client.get(url))
                    if target.is_over:
                        return

    in_threads(get, target, 16)


def _count(target: Target, answer: httpx.Response) -> None:
    target.answers[str(answer.status_code)] += 1


STRANGERS: list[Attack] = [
    *(send_heads_slowly, leave_bodies_half_sent, send_endless_heads, read_no_answer),
    *(send_many_parts, guess_booth_passwords, guess_administrators, guess_results),
]
