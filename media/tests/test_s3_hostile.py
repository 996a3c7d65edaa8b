"""A server that is no S3, or no friend: no thread spins, and no paid picture is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from ingest.models import Job
from ingest.tests.support import IngestTestCase
from media import storage
from media.tests.test_s3 import KEY, SECRET, stored_at
from photochanger.errors import StorageError
from photochanger.redaction import remember_secret
from photochanger.testing.marks import live_server

XML = "<Error><Code>{}</Code><Message>x</Message></Error>"


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


REDIRECTS: list[tuple[int, str, dict[str, str]]] = [
    (301, "", {"Location": "{url}/elsewhere"}),
    (302, "", {"Location": "{url}/elsewhere"}),
    (307, "", {"Location": "http://169.254.169.254/"}),
    (301, XML.format("PermanentRedirect"), {}),
    (400, XML.format("PermanentRedirect"), {}),
    (301, "", {"x-amz-bucket-region": "mars-1"}),
]


@live_server
class HostileServerTests(IngestTestCase):
    async def send_photo(self) -> Job:
        answer = await self.post()
        self.assertEqual(answer.status_code, 200)
        return await Job.objects.aget()

    async def test_a_redirect_costs_the_link_and_not_the_picture(self) -> None:
        for status, body, headers in REDIRECTS:
            with self.subTest(status, headers=headers):
                await Job.objects.all().adelete()
                with answering(status, body, headers):
                    job = await self.send_photo()
                self.assertEqual((job.status, job.result_path), ("done", ""))
                self.assertIn("sent, but not stored", job.failure_detail)
                self.assertIn("S3: ", job.failure_detail)

    async def test_a_header_that_cannot_be_read_costs_the_link_and_not_the_picture(self) -> None:
        with answering(200, headers={"x-amz-object-size": "many"}):
            job = await self.send_photo()
        self.assertIn("sent, but not stored", job.failure_detail)
        self.assertIn("cannot be understood", job.failure_detail)

    def test_a_redirect_is_told_at_the_start(self) -> None:
        for status, body, headers in REDIRECTS:
            with self.subTest(status, headers=headers), answering(status, body, headers):
                with self.assertLogs("media.storage.s3", "ERROR") as seen:
                    storage.warm_up()
                self.assertIn("server.storage.unavailable", seen.output[0])

    def test_a_redirect_is_not_followed(self) -> None:
        away = self.assertRaisesMessage(StorageError, "another address")
        with answering(307, "", {"Location": "{url}/elsewhere"}) as server, away:
            storage.write("a/b.jpg", b"picture")
        self.assertEqual(server.asked, ["PUT"])

    def test_a_server_to_which_every_name_is_taken_ends_no_thread(self) -> None:
        with answering(200) as server:
            storage.write("a/b.jpg", b"picture")
        self.assertEqual(server.asked, ["PUT"])

    def test_a_server_cannot_put_our_keys_into_a_message(self) -> None:
        for key in (KEY, SECRET):
            remember_secret(key)  # as the environment does
        for told in (SECRET, KEY, SECRET[:12], f"{'x' * 35}{SECRET}"):
            with self.subTest(told), answering(403, XML.format(told)):
                with self.assertRaises(StorageError) as caught:
                    storage.write("a/b.jpg", b"picture")
                self.assertIn("S3: it answered", str(caught.exception))
                self.assertNotIn(told[-12:], str(caught.exception))
                self.assertNotIn(SECRET[:5], str(caught.exception))
