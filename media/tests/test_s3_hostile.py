"""A server that is no S3, or no friend: no thread spins, and no paid picture is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from ingest.tests.support import IngestTestCase
from media import storage
from media.tests.test_s3 import stored_at
from photochanger.testing.marks import live_server


class Answering(ThreadingHTTPServer):
    """Answers every request alike; ``{url}`` in a header is its own address."""

    def __init__(self, status: int, headers: dict[str, str], body: str) -> None:
        self.status, self.body, self.asked = status, body.encode(), list[str]()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.headers = {name: value.format(url=self.url) for name, value in headers.items()}


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_ANY(self) -> None:
        self.server.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_ANY

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(
    status: int, body: str = "", headers: dict[str, str] | None = None
) -> Iterator[Answering]:
    with Answering(status, headers or {}, body) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            with stored_at(server.url):
                yield server
        finally:
            server.shutdown()


@live_server
class HostileServerTests(IngestTestCase):
    def test_a_server_to_which_every_name_is_taken_ends_no_thread(self) -> None:
        with answering(200) as server:
            storage.write("a/b.jpg", b"picture")
        self.assertEqual(server.asked, ["PUT"])
