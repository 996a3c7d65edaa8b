"""HTTP as odd clients speak it, and as attackers do: met on raw sockets of a real server."""

import contextlib
import io
import socket
import time
from collections.abc import Iterator

import httpx
from PIL import Image

from ingest.tests.live_support import LiveTestCase, RawAnswer, RawClient, chunked
from photochanger.edge.reception import MAX_PAUSING
from photochanger.server import limits
from photochanger.testing import server_process

MB = 1024 * 1024
OPEN, SLOW = "/ingest/slot-001", "/ingest/slot-002"
SLOW_S = 2
H2C = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
)


def forever(piece: bytes, first: bytes = b"") -> Iterator[bytes]:
    yield first
    while True:
        yield piece


class HttpCase(LiveTestCase):
    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure_all(
            {
                "slot-001": {"settings": {"prompt": "As an oil painting"}},
                "slot-002": {"settings": {"prompt": f"As an oil painting [sim:slow={SLOW_S}]"}},
                "slot-003": {"settings": {"prompt": "As an oil painting [sim:slow=40]"}},
            },
        )
        cls.server = cls.enterClassContext(
            cls.site.server(env={"WEB_CONCURRENCY": "1"}, is_fresh=True)
        )

    def connect(self) -> RawClient:
        return self.enterContext(RawClient(self.server))

    def send_form(
        self, path: str, *headers: str, client: RawClient | None = None, version: str = "1.1"
    ) -> RawClient:
        form, client = self.form(), client or self.connect()
        body = b"".join(form.iter_chunks())
        lines = [
            f"POST {path} HTTP/{version}",
            "Host: 127.0.0.1",
            f"Content-Type: multipart/form-data; boundary={form.boundary}",
            *headers,
        ]
        if "Transfer-Encoding: chunked" in headers:
            body = b"".join(chunked(iter([body])))
        else:
            lines.append(f"Content-Length: {len(body)}")
        client.sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return client

    def assert_picture(self, answer: RawAnswer) -> None:
        self.assertEqual((answer.status, answer.body[:0]), (200, b""))
        Image.open(io.BytesIO(answer.body)).load()

    def assert_refused(self, answer: RawAnswer, status: int, reason: str) -> None:
        self.assertEqual((answer.status, answer.reason), (status, reason))
        self.assertIn("application/json", answer.headers["content-type"])


class OddClientTests(HttpCase):
    def test_a_wish_for_http_2_costs_nothing(self) -> None:
        for more in ((), ("Transfer-Encoding: chunked",), ("Upgrade: websocket", "X: y")):
            with self.subTest(more=more):
                client = self.send_form(OPEN, *H2C, *more)
                self.assert_picture(client.read_answer())
                self.assert_picture(self.send_form(OPEN, client=client).read_answer())

    def test_a_wish_for_http_2_whose_body_comes_later(self) -> None:
        form, client = self.form(), self.connect()
        client.send_head(OPEN, *H2C, f"Content-Length: {len(form)}", boundary=form.boundary)
        for piece in form.iter_chunks():
            client.send(piece)
        self.assert_picture(client.read_answer())

    def test_a_client_that_is_done_sending_is_not_gone(self) -> None:
        for path in (OPEN, SLOW):
            client = self.send_form(path)
            client.sock.shutdown(socket.SHUT_WR)
            self.assert_picture(client.read_answer())
            self.assertTrue(client.is_closed())

    def test_a_client_that_is_done_sending_and_goes_away_later_is_gone(self) -> None:
        jobs = self.jobs()
        client = self.send_form("/ingest/slot-003")
        client.sock.shutdown(socket.SHUT_WR)
        self.eventually(lambda: self.jobs() == jobs + 1)
        client.sock.close()
        self.eventually(lambda: self.last_job() == ("failed", "client_gone"))

    def test_old_and_absolute_requests(self) -> None:
        for version, headers in (
            ("1.0", ()),
            ("1.0", ("Connection: keep-alive",)),
            ("1.0", ("Expect: 100-continue",)),
        ):
            client = self.send_form(OPEN, *headers, version=version)
            self.assert_picture(client.read_answer())
            self.assertTrue(client.is_closed())
        for target in ("http://photos.example.com", "http://127.0.0.1:1", "HTTP://x@y"):
            self.assert_picture(self.send_form(target + OPEN).read_answer())
        client = self.connect()
        client.sock.sendall(b"GET http://nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(client.read_head()[0], 302)

    def test_links_with_slips_take_a_photo_or_say_what_is_wrong(self) -> None:
        for path in (
            *("//ingest/slot-001", "/ingest//slot-001", "/ingest/SLOT-001", "/INGEST/Slot-001/"),
            *(
                "/ingest/slot%2D001",
                "/%69ngest/slot-001",
                "/ingest/slot-001//",
                "/api//ingest/slot-001",
            ),
            *("/ingest/slot-001%20", "/ingest/slot%E2%80%93001", "/ingest/%E2%80%8Bslot-001"),
            *(
                "/API/Ingest/SLOT-001",
                "/ingest%2Fslot-001",
                "/ingest/slot-001?x=1",
                "/ingest\\slot-001",
            ),
        ):
            with self.subTest(path=path):
                self.assert_picture(self.send_form(path).read_answer())
        for path in (
            *("/", "/ingest", "/ingest/", "/slot-001", "/upload", "/ingest/slot-001/x", "//"),
            *("/ingest/slot-001/index.html", "/ingest/slot%252D001"),
            *("/ingest/slot-099", "/ingest/slot-1", "/ingest/%D1%81lot-001", "/api", "/static/x"),
            *(
                "/ingest/%00",
                "/ingest/..",
                "/ingest/../admin/",
                "/ingest/%ff",
                "/admin",
                "/public/",
            ),
        ):
            with self.subTest(path=path):
                answer = self.send_form(path).read_answer()
                self.assertIn(answer.status, (404, 405))
                self.assertIn(answer.reason, ("not_found", "method_not_allowed", "slot_not_found"))
                self.assertNotIn("location", answer.headers)

    def test_a_backslash_leads_nowhere_but_to_a_booths_link(self) -> None:
        """A front server that keeps a page from strangers does not take it for a slash."""
        for path in ("/\\metrics", "/%5Cmetrics", "\\healthz", "/public\\slots\\slot-001"):
            answer = httpx.get(f"{self.server.url}/{path.removeprefix('/')}")
            self.assertEqual(answer.status_code, 404, path)

    def test_what_is_no_request_is_refused_in_json(self) -> None:
        for head in (
            *(
                b"\x16\x03\x01\x02\x00\x01",
                b"GET\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
            ),
            *(b"GET /%zz\x00 HTTP/1.1\r\n\r\n", "GET /\u044f HTTP/1.1\r\n\r\n".encode()),
            *(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", b"GET / HTTP/1.1\r\nA b: c\r\n\r\n"),
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(300)) + b"\r\n",
            b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
            b"GET /livez HTTP/1.1\r\nContent-Length: " + b"0" * 5000 + b"\r\n\r\n",
        ):
            with self.subTest(head=head[:60]):
                client = self.connect()
                client.sock.sendall(head)
                self.assert_refused(client.read_answer(), 400, "invalid_request")
                self.assertTrue(client.is_closed())
        self.assertNotIn("Traceback", self.server.log_text())

    def test_a_photo_is_answered_whatever_stands_behind_its_request(self) -> None:
        """At once, or while the service works: the picture is paid for then."""
        torn = (
            b"POST /ingest/slot-002 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n"
        )
        for rest, pause_s in (
            (torn, 0),
            (torn, 0.7),
            (b"--\r\n", 0),
            (b"\0", 0),
            (b"--\r\n", 0.7),
            (b"x" * 900, 0.7),
        ):
            with self.subTest(rest=rest[:4], pause_s=pause_s):
                client = self.send_form(SLOW)
                time.sleep(pause_s)
                client.sock.sendall(rest)
                self.assert_picture(client.read_answer())
                self.assertTrue(client.is_closed())
                self.assertEqual(self.last_job(), ("done", ""))

    def test_requests_in_a_row_are_answered_in_a_row(self) -> None:
        client = self.connect()
        count = 200
        client.sock.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * count)
        for _ in range(count):
            self.assertEqual(client.read_answer().status, 200)
        self.assert_picture(self.send_form(OPEN, client=client).read_answer())


class HostileClientTests(HttpCase):
    def flood(self, client: RawClient, pieces: Iterator[bytes], *, at_most: int) -> None:
        with contextlib.suppress(OSError):
            client.sock.settimeout(20)
            client.send_until_answered(pieces, at_most=at_most)
            client.is_closed(within_s=20)

    def test_what_has_no_end_is_cut_off_and_leaves_no_memory(self) -> None:
        get, big = b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"x" * 60_000
        body = b"POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
        httpx.get(f"{self.server.url}/livez")
        before = self.server.rss_bytes()
        for name, pieces in {
            "head": forever(b"A: b\r\n" * 9000, get),
            "value": forever(big, get + b"A: "),
            "url": forever(big, b"GET /"),
            "blank lines": forever(b"\r\n" * 9000),
            "trailers": forever(b"A: b\r\n" * 9000, body + b"0\r\n"),
            "trailer": forever(big, body + b"0\r\nA: "),
            "chunk extension": forever(big, body + b"1;"),
        }.items():
            with self.subTest(name=name):
                client = self.connect()
                self.flood(client, pieces, at_most=60 * MB)
                self.assertLess(client.sent_bytes, 8 * MB)
        client = self.send_form(SLOW)
        self.flood(client, forever(b"\0" * 60_000), at_most=60 * MB)  # behind its request
        self.assertLess(client.sent_bytes, 8 * MB)
        client = self.connect()
        client.sock.settimeout(3)  # it is not read any more, and nothing is answered for ever
        with contextlib.suppress(OSError):
            for _ in range(40):
                client.send((get + b"\r\n") * 30_000)
        self.assertLess(self.server.rss_bytes() - before, 30 * MB)
        self.assertEqual(httpx.get(f"{self.server.url}/livez").status_code, 200)

    def test_a_body_is_taken_only_where_one_is_due(self) -> None:
        for path, status, reason in (
            ("/nowhere", 404, "not_found"),
            ("/public/x", 404, "not_found"),
            *((path, 413, "payload_too_large") for path in ("/api/login", "/admin/login/")),
            ("/admin/", 413, "payload_too_large"),
            *((path, 401, "unauthorized") for path in ("/api/media/register", "/api/settings")),
        ):
            for length in ("Content-Length: 5000000", "Transfer-Encoding: chunked"):
                with self.subTest(path=path, length=length):
                    client = self.connect()
                    client.send_head(path, length, "Authorization: Bearer e30.e30.x")
                    client.send_until_answered(
                        forever(b"fff0\r\n" + b"x" * 65520 + b"\r\n"), at_most=5 * MB
                    )
                    answer = client.read_answer()
                    self.assertEqual((answer.status, answer.reason), (status, reason))
                    self.assertLess(self.site.temp_bytes(self.server), MB)

    def test_in_a_crowd_of_senders_that_pause_the_oldest_make_room(self) -> None:
        form = self.form()
        clients = [self.connect() for _ in range(MAX_PAUSING + 8)]
        for client in clients:
            client.send_head(OPEN, f"Content-Length: {len(form)}", boundary=form.boundary)
            client.send(b"--" + form.boundary.encode() + b"\r\n")
        for client in clients[:8]:
            self.assert_refused(client.read_answer(), 400, "invalid_request")
        self.assert_picture(self.send_form(OPEN).read_answer())

    def test_connections_without_a_request_are_given_up(self) -> None:
        clients = [self.connect() for _ in range(60)]
        for number, client in enumerate(clients):
            client.sock.sendall(b"GET /livez HT"[: number % 13])
        begun = time.monotonic()
        kept = self.connect()
        self.assert_picture(self.send_form(OPEN, client=kept).read_answer())
        kept.sock.sendall(b"G")  # one byte of the next one holds it no longer than others
        for client in (*clients, kept):
            self.assertTrue(client.is_closed())
        self.assertGreater(time.monotonic() - begun, limits.HEAD_S - 1)
        self.assertIn("server.connection.refused", self.server.log_text())
