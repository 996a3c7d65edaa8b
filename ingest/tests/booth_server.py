"""A strict, scripted server for the tests of the booth in software."""

import io
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from PIL import Image

from ingest.booth.client import BoothAnswer, send_photo
from ingest.booth.form import BoothRequest
from photochanger.testing.waiting import PATIENCE_S

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BOUNDARY = "------------090306000104030805010400"
CAPTURED = {"time": "1758217512", "hash": "7b6c683e1d3fd29c8701791c54e3c12a236f5a5b"}
# A request captured from a real booth, with four bytes in the place of the photo.
CAPTURED_HEAD = (
    b"POST /ingest/slot-001 HTTP/1.1\r\n"
    b"Host: 127.0.0.1:%d\r\n"
    b"Content-Type: multipart/form-data; boundary=------------090306000104030805010400\r\n"
    b"Content-Length: 1331\r\n"
    b"Expect: 100-continue\r\n"
    b"\r\n"
)
CAPTURED_BODY = (
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="time"\r\n\r\n1758217512\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="user_id"\r\n\r\nAcer\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="id"\r\n\r\nCY04N068111304S2L_00000001.\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="profile"\r\n\r\n'
    b"C:\\Users\\Acer\\Documents\\PhotoboothImages\\setup_Serg.xml\r\n"
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="status"\r\n\r\n'
    b"C:\\Users\\Acer\\Documents\\PhotoboothImages\\screenSerg\\preview.jpg\r\n"
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="hash"\r\n\r\n'
    b"7b6c683e1d3fd29c8701791c54e3c12a236f5a5b\r\n"
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="name"\r\n\r\nDESKTOP-K968T3F\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="model"\r\n\r\nWindows\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="version"\r\n\r\n3.30.2\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="password"\r\n\r\n123456\r\n'
    b"--------------090306000104030805010400\r\n"
    b'Content-Disposition: form-data; name="fileToUpload"; filename="IMG_0003.JPG"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n"
    b"\xff\xd8\xff\xe0\r\n"
    b"--------------090306000104030805010400--\r\n"
)


class Caller:
    """The server's side of one connection: reads strictly, by hand, and keeps what it read."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.head = b""
        self.body = b""

    def read_head(self) -> None:
        while not self.head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)  # by single bytes: nothing of the body may be swallowed
            if not byte:
                raise ConnectionError
            self.head += byte

    def read_body(self) -> None:
        found = re.search(rb"\r\nContent-Length: (\d+)\r\n", self.head)
        assert found
        while len(self.body) < int(found[1]):
            self.body += self.sock.recv(65536)

    def is_silent_for(self, seconds: float) -> bool:
        self.sock.settimeout(seconds)
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(PATIENCE_S)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait_until_closed(self) -> None:
        while rest := self.sock.recv(65536):
            self.body += rest

    def take_photo(self) -> None:
        """What a good server does before it answers."""
        self.read_head()
        self.send(CONTINUE)
        self.read_body()


Script = Callable[[Caller], None]


class Server:
    def __init__(self, script: Script, tls: ssl.SSLContext | None) -> None:
        self.script, self.tls = script, tls
        self.callers: list[Caller] = []
        self.failures: list[BaseException] = []
        self.threads: list[threading.Thread] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.answer, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def answer(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_S)
        try:
            with self.tls.wrap_socket(sock, server_side=True) if self.tls else sock as sock:
                caller = Caller(sock)
                self.callers.append(caller)
                self.script(caller)
        except (OSError, AssertionError) as exc:
            self.failures.append(exc)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(script, tls)
    acceptor = threading.Thread(target=server.serve, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        for thread in (acceptor, *server.threads):
            thread.join(PATIENCE_S)


def http_answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(status: str, reason: str, details: str) -> bytes:
    content = {"status": "error", "failure_reason": reason, "details": details}
    return http_answer(status, json.dumps(content).encode(), "Content-Type: application/json")


def answering(answer: bytes) -> Script:
    def script(caller: Caller) -> None:
        caller.take_photo()
        caller.send(answer)

    return script


def request_to(server: Server, **changes: Any) -> BoothRequest:
    request = BoothRequest(
        url=server.url,
        slot="slot-001",
        photo=b"\xff\xd8\xff\xe0",
        password="123456",
        boundary=BOUNDARY,
        timeout_s=PATIENCE_S,
    )
    return replace(request, **changes)


def send_to(script: Script, **changes: Any) -> tuple[BoothAnswer, Server]:
    with serving(script) as server:
        return send_photo(request_to(server, **changes)), server


def picture(format_: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, format_)
    return out.getvalue()
