"""The edge of a real server, met on raw sockets: what it takes, what it refuses, what it frees."""

import io
import itertools
import time

import httpx
from PIL import Image

from ingest.booth.client import BoothAnswer, BoothRequest, send_photo
from ingest.tests.live_support import LiveTestCase, RawClient, chunked
from ingest.tests.support import jpeg
from photochanger.testing import server_process

MB = 1024 * 1024
GIGABYTE = "Content-Length: 1073741824"
EXPECT = "Expect: 100-continue"
CHUNKED = "Transfer-Encoding: chunked"
IDLE_S = 1
OPEN, SLOW, CLOSED = "/ingest/slot-001", "/ingest/slot-002", "/ingest/slot-003"


class EdgeTests(LiveTestCase):
    """``slot-001`` answers at once, ``slot-002`` after 30 s; each takes one photo at a time."""

    server: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure_all(
            {
                "slot-001": {"settings": {"prompt": "As an oil painting"}},
                "slot-002": {"settings": {"prompt": "As an oil painting [sim:slow=30]"}},
            },
            limits={"max_jobs_per_slot": 1},
        )
        cls.server = cls.enterClassContext(
            cls.site.server(env={"UPLOAD_IDLE_SECONDS": str(IDLE_S)}, is_fresh=True)
        )

    def connect(self) -> RawClient:
        return self.enterContext(RawClient(self.server))

    def assert_nothing_is_left(self) -> None:
        self.eventually(lambda: self.site.temp_bytes(self.server) == 0)

    def send_as_booth(self, photo: bytes, path: str = "ingest") -> BoothAnswer:
        return send_photo(
            BoothRequest(
                url=self.server.url,
                slot="slot-001",
                photo=photo,
                password=self.site.password,
                path=path,
            )
        )

    def test_a_booth_that_waits_for_100_continue_gets_it_and_a_picture(self) -> None:
        photo = jpeg(1600, 1200)
        answer = self.send_as_booth(photo)
        self.assertEqual((answer.error, answer.status), (None, 200))
        self.assertTrue(answer.got_continue and answer.body_sent)
        self.assertEqual(answer.headers["content-type"], "image/jpeg")
        self.assertEqual(answer.headers["content-length"], str(len(answer.body)))
        self.assertFalse({"transfer-encoding", "content-encoding"} & set(answer.headers))
        self.assertNotEqual(answer.body, photo)
        Image.open(io.BytesIO(answer.body)).load()

    def test_the_public_link_gives_the_same_bytes(self) -> None:
        answer = self.send_as_booth(jpeg())
        public = httpx.get(answer.headers["x-result-url"])
        self.assertEqual((public.status_code, public.content), (200, answer.body))

    def test_both_spellings_of_the_link_take_a_photo(self) -> None:
        for path in ("ingest", "api/ingest"):
            with self.subTest(path=path):
                self.assertEqual(self.send_as_booth(jpeg(), path).status, 200)

    def test_a_chunked_photo_is_read_like_any_other(self) -> None:
        form, client = self.form(), self.connect()
        client.send_head(OPEN, CHUNKED, boundary=form.boundary)
        client.send(b"".join(chunked(form.iter_chunks())))
        answer = client.read_answer()
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "image/jpeg"))
        Image.open(io.BytesIO(answer.body)).load()

    def test_a_connection_takes_one_photo_after_the_other(self) -> None:
        client = self.connect()
        for _ in range(2):
            form = self.form()
            client.send_head(OPEN, f"Content-Length: {len(form)}", boundary=form.boundary)
            client.send(b"".join(form.iter_chunks()))
            self.assertEqual(client.read_answer().status, 200)

    def send_endless(self, path: str) -> RawClient:
        client = self.connect()
        client.send_head(path, CHUNKED)
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        pieces = chunked(itertools.chain([head], itertools.repeat(b"x" * 60_000)))
        client.send_until_answered(pieces, at_most=100 * MB)
        return client

    def test_a_declared_gigabyte_is_refused_before_its_first_byte(self) -> None:
        for path in (OPEN, f"/api{OPEN}/", "/api/jobs/x", "/admin/login/"):
            with self.subTest(path=path):
                client = self.connect()
                client.send_head(path, GIGABYTE, EXPECT)
                answer = client.read_answer()
                self.assertEqual((answer.status, answer.reason), (413, "payload_too_large"))
                self.assertEqual(answer.headers["connection"], "close")
                self.assertTrue(client.is_closed())

    def test_a_declared_gigabyte_is_refused_while_it_is_being_sent(self) -> None:
        client = self.connect()
        client.send_head(OPEN, GIGABYTE)
        client.send_until_answered(itertools.repeat(b"x" * 60_000), at_most=100 * MB)
        self.assertEqual(client.read_answer().status, 413)
        self.assertLess(client.sent_bytes, 2 * MB)

    def test_an_endless_body_is_refused_at_the_limit(self) -> None:
        for path, limit_mb in ((OPEN, 15), ("/admin/login/", 20)):
            with self.subTest(path=path):
                client = self.send_endless(path)
                answer = client.read_answer()
                self.assertEqual((answer.status, answer.reason), (413, "payload_too_large"))
                self.assertEqual(answer.headers["connection"], "close")
                self.assertLess(client.sent_bytes, (limit_mb + 2) * MB)
        self.assert_nothing_is_left()

    def test_refused_bodies_cost_no_memory_and_no_row(self) -> None:
        self.send_endless(OPEN).read_answer()  # what is bought once is not counted
        jobs, rss_before = self.jobs(), self.server.rss_bytes()
        for _ in range(5):
            self.send_endless(OPEN).read_answer()
        self.assertLess(self.server.rss_bytes() - rss_before, 10 * MB)
        self.assertEqual(self.jobs(), jobs)
        self.assert_nothing_is_left()

    def test_a_photo_for_a_closed_or_unknown_slot_is_never_sent(self) -> None:
        for path, reason in ((CLOSED, "slot_disabled"), ("/ingest/slot-099", "slot_not_found")):
            for length in ("Content-Length: 3000000", CHUNKED):
                with self.subTest(path=path, length=length):
                    client = self.connect()
                    client.send_head(path, length, EXPECT)
                    answer = client.read_answer()  # and no 100 before it
                    self.assertEqual((answer.status, answer.reason), (404, reason))
                    self.assertTrue(client.is_closed())

    def test_nothing_at_all_is_refused_like_any_other_form_and_the_connection_lives(self) -> None:
        client = self.connect()
        for length in ("Content-Length: 0", "X-Nothing: content"):
            client.send_head(OPEN, length)
            answer = client.read_answer()
            self.assertEqual((answer.status, answer.reason), (400, "invalid_request"))
        self.assertNotIn("Invalid ASGI message", self.server.log_text())

    def test_a_photo_over_the_slots_own_limit_is_never_sent(self) -> None:
        client = self.connect()
        client.send_head(OPEN, f"Content-Length: {16 * MB}", EXPECT)
        self.assertEqual(client.read_answer().status, 413)

    def send_half(self, *headers: str) -> RawClient:
        form, client = self.form(jpeg(1600, 1200)), self.connect()
        body = b"".join(form.iter_chunks())
        length = headers or (f"Content-Length: {len(body)}",)
        client.send_head(OPEN, *length, boundary=form.boundary)
        half = body[: len(body) // 2]
        client.send(f"{len(body):x}\r\n".encode() + half if headers else half)
        return client

    def test_a_sender_that_falls_silent_is_given_up(self) -> None:
        for headers in ((), (CHUNKED,)):
            with self.subTest(headers=headers):
                begun = time.monotonic()
                answer = self.send_half(*headers).read_answer()
                self.assertTrue(IDLE_S - 0.01 < time.monotonic() - begun < 10 * IDLE_S)
                self.assertEqual((answer.status, answer.reason), (400, "invalid_request"))
        self.assert_nothing_is_left()

    def test_a_sender_that_never_sends_after_100_is_given_up_too(self) -> None:
        client = self.connect()
        client.send_head(OPEN, "Content-Length: 5000", EXPECT)
        self.assertEqual(client.read_head()[0], 100)
        self.assertEqual(client.read_answer().status, 400)

    def test_a_body_cut_in_the_middle_of_a_part_is_a_bad_request(self) -> None:
        form, client = self.form(), self.connect()
        body = b"".join(form.iter_chunks())[:-20]
        client.send_head(OPEN, f"Content-Length: {len(body)}", boundary=form.boundary)
        client.send(body)
        answer = client.read_answer()
        self.assertEqual((answer.status, answer.reason), (400, "invalid_request"))

    def send_photo_only(self, path: str) -> RawClient:
        form, client = self.form(), RawClient(self.server)
        client.send_head(path, f"Content-Length: {len(form)}", boundary=form.boundary)
        client.send(b"".join(form.iter_chunks()))
        return client

    def calls_in_flight(self) -> int:
        return int(self.provider.state()["in_flight"])

    def test_a_booth_that_hangs_up_while_it_sends_leaves_nothing(self) -> None:
        jobs = self.jobs()
        form = self.form(jpeg() + bytes(6 * MB))
        with RawClient(self.server) as client:
            client.send_head(OPEN, f"Content-Length: {len(form)}", boundary=form.boundary)
            client.send(b"".join(form.iter_chunks())[: 4 * MB])
            self.eventually(lambda: self.site.temp_bytes(self.server) > 0)
        self.assert_nothing_is_left()
        self.assertEqual((self.jobs(), self.provider.state()["calls"]), (jobs, 0))
        self.assertNotIn("http.crashed", self.server.log_text())

    def test_a_booth_that_hangs_up_while_the_provider_works_frees_all_of_it(self) -> None:
        before = self.results()
        for _ in range(2):  # the second one finds the slot's only place free again
            self.provider.reset()
            with self.send_photo_only(SLOW):
                self.eventually(lambda: self.calls_in_flight() == 1)
                self.assertEqual(self.last_job(), ("processing", ""))
            self.eventually(lambda: self.provider.state()["clients_left"] == 1)
            self.eventually(lambda: self.last_job() == ("failed", "client_gone"))
        self.assertEqual((self.calls_in_flight(), self.results()), (0, before))
        self.assert_nothing_is_left()
