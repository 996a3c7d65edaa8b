import hashlib
import io
import json
import os
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase
from PIL import Image

from ingest.booth.client import BoothAnswer, send_photo
from ingest.booth.form import BoothRequest, make_boundary
from photochanger.testing.certificates import tls_pair
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
    told = {"status": "error", "failure_reason": reason, "details": details}
    return http_answer(status, json.dumps(told).encode(), "Content-Type: application/json")


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


class RequestTests(SimpleTestCase):
    def sent(self, **changes: Any) -> Caller:
        with serving(answering(http_answer("200 OK"))) as server:
            answer = send_photo(request_to(server, **changes))
        assert answer.status == 200, answer
        return server.callers[0]

    def test_the_request_is_the_captured_one_byte_for_byte(self) -> None:
        with serving(answering(http_answer("200 OK"))) as server:
            send_photo(request_to(server, fields=CAPTURED))
        caller = server.callers[0]
        assert caller.head == CAPTURED_HEAD % server.port
        assert caller.body == CAPTURED_BODY

    def test_a_large_photo_from_a_file_arrives_whole(self) -> None:
        photo = b"\xff\xd8\xff" + os.urandom(3_000_000)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "photo.jpg")
            file.write_bytes(photo)
            caller = self.sent(photo=file)
        assert caller.body.endswith(photo + f"\r\n--{BOUNDARY}--\r\n".encode())

    def test_the_type_of_the_photo_is_told_by_its_bytes(self) -> None:
        assert b"Content-Type: image/png\r\n\r\n\x89PNG" in self.sent(photo=picture("PNG")).body
        assert b"Content-Type: image/webp\r\n\r\nRIFF" in self.sent(photo=picture("WEBP")).body

    def test_the_boundary_is_new_each_time_and_has_the_shape_of_the_booth_s(self) -> None:
        one, two = make_boundary(), make_boundary()
        assert re.fullmatch(r"-{12}\d{24}", one)
        assert one != two

    def test_the_hash_matches_no_recipe_unless_one_is_asked_for(self) -> None:
        photo = b"\xff\xd8\xff\xe0"
        known = {name: hashlib.new(name, photo).hexdigest() for name in ("md5", "sha1", "sha256")}
        for recipe, digest in known.items():
            assert f'name="hash"\r\n\r\n{digest}\r\n'.encode() in self.sent(hash_recipe=recipe).body
        assert b'name="hash"' not in self.sent(hash_recipe="none").body
        found = re.search(rb'name="hash"\r\n\r\n([0-9a-f]{40})\r\n', self.sent().body)
        assert found
        assert found[1].decode() not in known.values()

    def test_extra_fields_stand_between_the_password_and_the_photo(self) -> None:
        body = self.sent(fields={"event": "wedding", 'a"b': "ё"}).body
        assert body.index(b'"password"') < body.index(b'"event"') < body.index(b'"fileToUpload"')
        assert 'name="a%22b"\r\n\r\nё\r\n'.encode() in body

    def test_the_counter_runs_in_the_id(self) -> None:
        assert b"CY04N068111304S2L_00000027.\r\n" in self.sent(number=27).body

    def test_an_idempotency_key_is_one_more_header(self) -> None:
        assert b"Idempotency-Key" not in self.sent().head
        assert self.sent(idempotency_key="k1").head.endswith(b"\r\nIdempotency-Key: k1\r\n\r\n")

    def test_the_path_can_be_the_api_s(self) -> None:
        head = self.sent(path="api/ingest", slot="a b/c").head
        assert head.startswith(b"POST /api/ingest/a%20b/c HTTP/1.1\r\n")

    def test_the_password_is_not_in_the_request_s_repr(self) -> None:
        assert "s3cret" not in repr(
            BoothRequest(url="http://x", slot="slot-001", photo=b"", password="s3cret")
        )


class ContinueTests(SimpleTestCase):
    def test_the_photo_is_sent_only_after_a_late_100(self) -> None:
        def late(caller: Caller) -> None:
            caller.read_head()
            assert caller.is_silent_for(0.2)
            caller.send(CONTINUE)
            caller.read_body()
            caller.send(http_answer("200 OK", b"done"))

        answer, server = send_to(late)
        assert not server.failures
        assert (answer.status, answer.body) == (200, b"done")
        assert answer.got_continue
        assert answer.body_sent
        assert answer.first_byte_s is not None
        assert 0.19 < answer.first_byte_s <= answer.total_s

    def test_a_refusal_instead_of_100_keeps_the_photo_at_home(self) -> None:
        for status in (413, 404):

            def refuse(caller: Caller, status: int = status) -> None:
                caller.read_head()
                caller.send(http_answer(f"{status} No", b"no"))
                caller.wait_until_closed()

            answer, server = send_to(refuse)
            assert (answer.status, answer.body, answer.error) == (status, b"no", None)
            assert not answer.got_continue
            assert not answer.body_sent
            assert server.callers[0].body == b""

    def test_without_100_the_photo_is_never_sent(self) -> None:
        def silent(caller: Caller) -> None:
            caller.read_head()
            caller.wait_until_closed()

        answer, server = send_to(silent, timeout_s=1)
        assert answer.error == "gave up while waiting for 100 Continue"
        assert answer.status is None
        assert not answer.body_sent
        assert server.callers[0].body == b""

    def test_without_100_a_patient_server_gets_the_photo_after_the_expect_timeout(self) -> None:
        def old_fashioned(caller: Caller) -> None:
            caller.read_head()
            assert caller.is_silent_for(0.05)
            caller.read_body()
            caller.send(http_answer("200 OK"))

        answer, server = send_to(old_fashioned, expect_timeout_s=1)
        assert not server.failures
        assert answer.status == 200
        assert answer.body_sent
        assert not answer.got_continue


class AnswerTests(SimpleTestCase):
    def test_a_chunked_answer_is_put_together(self) -> None:
        chunked = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Job-Id: one\r\nX-Job-Id: two\r\n"
            b"\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        answer, _ = send_to(answering(chunked))
        assert (answer.body, answer.error) == (b"abcde", None)
        assert answer.headers["x-job-id"] == "one, two"

    def test_an_answer_cut_in_the_middle_is_an_error_with_its_status(self) -> None:
        answer, _ = send_to(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
        assert (answer.status, answer.body) == (200, b"abc")
        assert answer.error
        assert "received 3 bytes, expected 10" in answer.error

    def test_a_server_that_never_answers_is_given_up(self) -> None:
        def deaf(caller: Caller) -> None:
            caller.take_photo()
            caller.wait_until_closed()

        answer, _ = send_to(deaf, timeout_s=1)
        assert answer.error == "gave up while waiting for the answer"
        assert answer.body_sent
        assert 0.99 < answer.total_s < 10

    def test_a_trickling_answer_does_not_outlive_the_timeout(self) -> None:
        def trickle(caller: Caller) -> None:
            caller.take_photo()
            caller.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                caller.send(b".")
                time.sleep(0.02)

        answer, _ = send_to(trickle, timeout_s=1)
        assert answer.error == "gave up while reading the answer"
        assert answer.total_s < 10  # all of it would take 20

    def test_a_server_that_hangs_up_without_a_word_is_told(self) -> None:
        answer, _ = send_to(Caller.take_photo)
        assert (
            answer.error == "the server broke the connection while we were waiting for the answer"
        )

    def test_a_refusal_while_the_photo_is_on_its_way_ends_the_sending(self) -> None:
        given_up = threading.Event()

        def full(caller: Caller) -> None:
            caller.read_head()
            caller.send(CONTINUE)
            caller.sock.recv(1000)
            caller.send(http_answer("413 Content Too Large"))
            given_up.wait(PATIENCE_S)  # keeps the connection and reads no more

        with serving(full) as server:
            answer = send_photo(request_to(server, photo=bytes(30_000_000)))
            given_up.set()
        assert (answer.status, answer.error, answer.body_sent) == (413, None, False)
        assert answer.total_s < 10

    def test_an_endless_answer_is_cut_off(self) -> None:
        with mock.patch("ingest.booth.client.MAX_ANSWER_BYTES", 1000):
            answer, _ = send_to(answering(http_answer("200 OK", bytes(1_000_000))))
        assert answer.error
        assert "more than 1000 bytes" in answer.error
        assert len(answer.body) < 200_000

    def test_what_is_not_http_is_an_error(self) -> None:
        answer, _ = send_to(answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"))
        assert answer.error
        assert answer.error.startswith("the server's answer is broken")

    def test_a_redirect_is_an_answer_and_is_not_followed(self) -> None:
        moved = http_answer("301 Moved Permanently", b"", "Location: /elsewhere")
        answer, server = send_to(answering(moved))
        assert (answer.status, answer.headers["location"]) == (301, "/elsewhere")
        assert len(server.callers) == 1


class AddressTests(SimpleTestCase):
    def error(self, url: str) -> str | None:
        request = BoothRequest(url=url, slot="slot-001", photo=b"x", password="p", timeout_s=20)
        return send_photo(request).error

    def test_a_closed_port_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        assert self.error(f"http://127.0.0.1:{port}") == (
            "connection refused: nothing listens at this address"
        )

    def test_an_unknown_name_is_told(self) -> None:
        unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        with mock.patch("socket.getaddrinfo", side_effect=unknown):
            assert self.error("http://no.such") == "the server's name is not known here (DNS)"

    def test_what_http_cannot_carry_is_told(self) -> None:
        assert str(self.error(f"http://{'a' * 70}")).startswith("the request cannot be sent")

    def test_a_photo_that_is_gone_is_told(self) -> None:
        request = BoothRequest(url="http://x", slot="s", photo=Path("/no/photo"), password="p")
        assert send_photo(request).error == "No such file or directory (while connecting)"

    def test_an_address_that_is_none_is_a_mistake_of_the_caller(self) -> None:
        for url in ("", "localhost:8000", "ftp://x", "http://", "http://x:port"):
            with self.assertRaises(ValueError):
                self.error(url)

    def test_https_works_and_trusts_only_known_certificates(self) -> None:
        server_side, client_side = tls_pair()
        photo = bytes(1_000_000)
        body = os.urandom(500_000)
        with serving(answering(http_answer("200 OK", body)), tls=server_side) as server:
            request = request_to(server, photo=photo)
            answer = send_photo(request, tls=client_side)
            stranger = send_photo(request)
        assert (answer.status, answer.body == body, answer.error) == (200, True, None)
        assert photo in server.callers[0].body
        assert str(stranger.error).startswith("the server's certificate is not trusted")


class CommandTests(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.photo = self.folder / "guests.jpg"
        self.photo.write_bytes(picture())
        self.out, self.err = io.StringIO(), io.StringIO()

    def booth(self, server: Server | str, *args: str, password: str | None = "123456") -> str:
        url = server if isinstance(server, str) else server.url
        given = ["--password", password] if password is not None else []
        call_command(
            "booth",
            *[str(self.photo), *args, "--url", url, *given],
            *["--out", str(self.folder / "out")],
            stdout=self.out,
            stderr=self.err,
        )
        return self.out.getvalue()

    def failing_booth(self, server: Server | str, *args: str) -> str:
        with self.assertRaises(CommandError) as failure:
            self.booth(server, *args)
        assert failure.exception.returncode == 1
        return self.out.getvalue()

    def saved(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "out").iterdir())

    def test_pictures_are_saved_and_told(self) -> None:
        link = "http://photos.example/public/results/0a1b2c3d-4e5f"
        headers = ("X-Job-Id: 0a1b2c3d-4e5f", f"X-Result-Url: {link}", "Content-Type: text/plain")
        with serving(answering(http_answer("200 OK", picture("PNG"), *headers))) as server:
            told = self.booth(server, "--count", "3", "--parallel", "2")
        assert self.saved() == [f"slot-001-00{number}-0a1b2c3d.png" for number in (1, 2, 3)]
        assert len(server.callers) == 3, "a new connection for each photo"
        assert "image/png" in told
        assert link in told
        assert "3 of 3 answered 200 with a picture" in told
        assert "3/3 guests.jpg 200 image/png" in self.err.getvalue()

    def test_several_photos_are_sent_in_turn_and_counted(self) -> None:
        other = self.folder / "other.jpg"
        other.write_bytes(picture("WEBP"))
        with serving(answering(http_answer("200 OK", picture()))) as server:
            self.booth(server, str(other), "--count", "3", "--no-save")
        types = [re.findall(rb"image/\w+", caller.body)[0] for caller in server.callers]
        assert types == [b"image/jpeg", b"image/webp", b"image/jpeg"]
        assert b"_00000003." in server.callers[2].body
        assert not (self.folder / "out").exists()

    def test_parallel_photos_are_on_their_way_at_one_time(self) -> None:
        together = threading.Barrier(4, timeout=PATIENCE_S)

        def meet(caller: Caller) -> None:
            caller.take_photo()
            together.wait()
            caller.send(http_answer("200 OK", picture()))

        with serving(meet) as server:
            self.booth(server, "--count", "4", "--parallel", "4")
        assert not together.broken

    def test_a_wrong_password_is_told_in_the_server_s_sentence(self) -> None:
        wrong = refusal("401 Unauthorized", "invalid_password", "Неверный пароль")
        with serving(answering(wrong)) as server:
            told = self.failing_booth(server, "--count", "2")
        assert "2 x 401 invalid_password: Неверный пароль" in told
        assert "0 of 2 answered 200" in told

    def test_json_holds_every_result_and_the_summary(self) -> None:
        marked = http_answer("200 OK", picture(), "X-PhotoChanger-Fallback: original")
        with serving(answering(marked)) as server:
            found = json.loads(self.booth(server, "--json"))
        (result,) = found["results"]
        assert (result["status"], result["content_type"]) == (200, "image/jpeg")
        assert (result["mark"], result["is_picture"]) == ("original", True)
        assert Path(result["saved_as"]).read_bytes() == picture()
        assert found["summary"]["pictures"] == 1
        assert found["summary"]["min_s"] == found["summary"]["p95_s"] == result["total_s"]

    def test_a_200_without_a_picture_is_a_failure_and_is_not_saved(self) -> None:
        with serving(answering(http_answer("200 OK", picture()[:200]))) as server:
            told = self.failing_booth(server)
        assert "200 no_picture" in told
        assert self.saved() == []

    def test_no_server_is_a_row_and_not_a_traceback(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        told = self.failing_booth(f"http://127.0.0.1:{port}")
        assert "1 x no answer no_answer: connection refused" in told

    def test_a_redirect_is_told_as_a_lost_photo(self) -> None:
        moved = http_answer("308 Permanent Redirect", b"", "Location: /api/ingest/slot-001/")
        with serving(answering(moved)) as server:
            told = self.failing_booth(server)
        assert "redirected to /api/ingest/slot-001/: a booth does not follow" in told

    def test_a_stranger_s_error_page_says_where_to_look(self) -> None:
        with serving(answering(http_answer("502 Bad Gateway", b"<html>[red]"))) as server:
            told = self.failing_booth(server)
        assert "502 http_502: not an answer of PhotoChanger" in told

    def test_a_hostile_answer_cannot_steer_the_terminal_or_the_disk(self) -> None:
        evil = refusal("500 Oops", "[bold]\x1b[2Jbang", "\x1b]0;owned\x07\u202eevil" + "x" * 5000)
        with serving(answering(evil)) as server:
            told = self.failing_booth(server)
        assert "\x1b" not in told + self.err.getvalue()
        assert "\u202e" not in told
        assert "[bold]" in told, "a bracket is a bracket, not markup"
        assert len(told) < 5000
        odd = http_answer("200 OK", picture(), "X-Job-Id: ../../../etc/passwd")
        with serving(answering(odd)) as server:
            self.booth(server, "--slot", "../up")
        assert self.saved() == ["___up-001-etcpassw.jpg"]

    def test_the_password_comes_from_the_environment(self) -> None:
        with (
            mock.patch.dict(os.environ, BOOTH_PASSWORD="of-the-environment"),
            serving(answering(http_answer("200 OK", picture()))) as server,
        ):
            self.booth(server, password=None)
        assert b"\r\n\r\nof-the-environment\r\n" in server.callers[0].body

    def test_without_a_password_and_a_terminal_nothing_is_sent(self) -> None:
        with (
            mock.patch.dict(os.environ),
            mock.patch("sys.stdin", io.StringIO()),
            self.assertRaisesMessage(CommandError, "No password"),
        ):
            os.environ.pop("BOOTH_PASSWORD", None)
            self.booth("http://127.0.0.1:1", password=None)

    def test_options_reach_the_wire(self) -> None:
        options = ("--path", "api/ingest", "--field", "event=a=b", "--hash", "none")
        with serving(answering(http_answer("200 OK", picture()))) as server:
            self.booth(server, *options, "--idempotency-key", "k", "--slot", "slot-015")
        caller = server.callers[0]
        assert caller.head.startswith(b"POST /api/ingest/slot-015 HTTP/1.1\r\n")
        assert b"\r\nIdempotency-Key: k\r\n" in caller.head
        assert b'name="event"\r\n\r\na=b\r\n' in caller.body
        assert b'name="hash"' not in caller.body

    def test_what_cannot_work_is_refused_before_anything_is_sent(self) -> None:
        for args in (
            ("--count", "0"),
            ("--timeout", "nan"),
            ("--field", "no-equals"),
            ("--hash", "crc"),
        ):
            with self.assertRaises(CommandError):
                self.booth("http://127.0.0.1:1", *args)
        with self.assertRaisesMessage(CommandError, "is not an address"):
            self.booth("127.0.0.1:1")
        with self.assertRaisesMessage(CommandError, "missing.jpg"):
            self.booth("http://127.0.0.1:1", str(self.folder / "missing.jpg"))
        assert self.out.getvalue() == ""
