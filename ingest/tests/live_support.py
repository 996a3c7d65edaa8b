"""Shared by the live tests of the photo's path: a site, its processes, and a raw connection."""

import io
import json
import select
import socket
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import httpx

from ingest.booth.form import BoothForm, BoothRequest
from ingest.tests.support import jpeg
from photochanger.testing import live, server_process
from photochanger.testing.databases import chosen_database
from photochanger.testing.marks import live_server
from photochanger.testing.waiting import PATIENCE_S, wait_until

SENDING_BYTES = 64 * 1024


@live_server
class LiveTestCase(unittest.TestCase):
    """One site and one simulator for the whole class; the servers are the class's own."""

    site: live.LiveSite
    provider: live.Simulator
    # A plain simulator looks at no prompt and always has its picture ready: for many photos.
    simulated: ClassVar[Mapping[str, Any]] = {"plain": False}

    @classmethod
    def setUpClass(cls) -> None:
        cls.site = cls.enterClassContext(live.site(chosen_database()))
        cls.provider = cls.enterClassContext(cls.site.simulator(**cls.simulated))

    def setUp(self) -> None:
        self.provider.reset()

    def post(
        self,
        server: server_process.Server,
        photo: bytes | None = None,
        *,
        slot: str = "slot-001",
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return httpx.post(
            f"{server.url}/ingest/{slot}",
            data={"password": self.site.password if password is None else password},
            files={"fileToUpload": ("IMG_0001.JPG", photo or jpeg(), "image/jpeg")},
            headers=headers,
            timeout=180,
        )

    def form(self, photo: bytes | None = None) -> BoothForm:
        """The body a booth would send."""
        photo = photo or jpeg()
        request = BoothRequest(url="", slot="", photo=photo, password=self.site.password)
        return BoothForm.of(request, io.BytesIO(photo))

    def jobs(self) -> int:
        return int(self.site.rows("select count(*) from job_history")[0][0])

    def last_job(self) -> tuple[str, str]:
        sql = "select status, failure_reason from job_history order by started_at desc limit 1"
        status, reason = self.site.rows(sql)[0]
        return status, reason

    def results(self) -> list[str]:
        """Every stored file, also those half-written."""
        root = self.site.media_root
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    def eventually(self, is_so: Callable[[], bool]) -> None:
        wait_until(is_so)


class RawAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def reason(self) -> Any:
        return json.loads(self.body)["failure_reason"]


class RawClient:
    """One connection, written and read by hand: what it sends and gets is exactly known."""

    def __init__(self, server: server_process.Server, *, timeout_s: float = PATIENCE_S) -> None:
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s)
        # Small, so that what is counted as sent is not just lying in our own buffer.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENDING_BYTES)
        self.sent_bytes = 0  # of the body
        self._unread = b""

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send_head(
        self, path: str, *headers: str, boundary: str = "b", method: str = "POST"
    ) -> None:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Content-Type: multipart/form-data; boundary={boundary}",
            *headers,
        ]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.sent_bytes += len(data)

    def send_until_answered(self, pieces: Iterator[bytes], *, at_most: int) -> None:
        """Send until the server says something or breaks off, or ``at_most`` bytes are sent."""
        try:
            while self.sent_bytes < at_most and not self.has_answer():
                self.send(next(pieces))
        except ConnectionError:
            return  # what it said before that is read all the same

    def has_answer(self, *, within_s: float = 0.0) -> bool:
        return bool(self._unread or select.select([self.sock], [], [], within_s)[0])

    def read_head(self) -> tuple[int, dict[str, str]]:
        """The next status, 1xx included, and its headers."""
        while b"\r\n\r\n" not in self._unread:
            self._unread += self._received()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(first.split()[1]), {name.lower(): value for name, value in headers.items()}

    def read_answer(self) -> RawAnswer:
        """A whole answer with a Content-Length; a ``100 Continue`` would be one without."""
        status, headers = self.read_head()
        while len(self._unread) < int(headers["content-length"]):
            self._unread += self._received()
        size = int(headers["content-length"])
        body, self._unread = self._unread[:size], self._unread[size:]
        return RawAnswer(status, headers, body)

    def is_closed(self, *, within_s: float = PATIENCE_S) -> bool:
        """Whether the server has closed the connection, with nothing more to say."""
        if not self.has_answer(within_s=within_s):
            return False
        try:
            return not self.sock.recv(1)
        except ConnectionError:
            return True

    def _received(self) -> bytes:
        data = self.sock.recv(SENDING_BYTES)
        if not data:
            raise ConnectionResetError("the server closed before its answer was whole")
        return data


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces as HTTP chunks, with the last one that ends the body."""
    for piece in pieces:
        if piece:
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"
