"""The booth in software against a scripted server: every byte sent, every answer understood."""

import hashlib
import os
import re
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

from django.test import SimpleTestCase

from ingest.booth.client import send_photo
from ingest.booth.form import BoothRequest, make_boundary
from ingest.tests.booth_server import (
    BOUNDARY,
    CAPTURED,
    CAPTURED_BODY,
    CAPTURED_HEAD,
    CONTINUE,
    Caller,
    answering,
    http_answer,
    picture,
    request_to,
    send_to,
    serving,
)
from photochanger.testing.certificates import tls_pair
from photochanger.testing.waiting import PATIENCE_S


class RequestTests(SimpleTestCase):
    def send(self, **changes: Any) -> Caller:
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
            caller = self.send(photo=file)
        assert caller.body.endswith(photo + f"\r\n--{BOUNDARY}--\r\n".encode())

    def test_the_type_of_the_photo_is_detected_from_its_bytes(self) -> None:
        assert b"Content-Type: image/png\r\n\r\n\x89PNG" in self.send(photo=picture("PNG")).body
        assert b"Content-Type: image/webp\r\n\r\nRIFF" in self.send(photo=picture("WEBP")).body

    def test_the_boundary_is_new_each_time_and_shaped_like_the_booths(self) -> None:
        one, two = make_boundary(), make_boundary()
        assert re.fullmatch(r"-{12}\d{24}", one)
        assert one != two

    def test_the_hash_matches_no_recipe_unless_one_is_asked_for(self) -> None:
        photo = b"\xff\xd8\xff\xe0"
        known = {name: hashlib.new(name, photo).hexdigest() for name in ("md5", "sha1", "sha256")}
        for recipe, digest in known.items():
            assert f'name="hash"\r\n\r\n{digest}\r\n'.encode() in self.send(hash_recipe=recipe).body
        assert b'name="hash"' not in self.send(hash_recipe="none").body
        found = re.search(rb'name="hash"\r\n\r\n([0-9a-f]{40})\r\n', self.send().body)
        assert found
        assert found[1].decode() not in known.values()

    def test_extra_fields_stand_between_the_password_and_the_photo(self) -> None:
        body = self.send(fields={"event": "wedding", 'a"b': "ё"}).body
        assert body.index(b'"password"') < body.index(b'"event"') < body.index(b'"fileToUpload"')
        assert 'name="a%22b"\r\n\r\nё\r\n'.encode() in body

    def test_the_counter_runs_in_the_id(self) -> None:
        assert b"CY04N068111304S2L_00000027.\r\n" in self.send(number=27).body

    def test_an_idempotency_key_is_one_more_header(self) -> None:
        assert b"Idempotency-Key" not in self.send().head
        assert self.send(idempotency_key="k1").head.endswith(b"\r\nIdempotency-Key: k1\r\n\r\n")

    def test_the_path_can_be_the_apis(self) -> None:
        head = self.send(path="api/ingest", slot="a b/c").head
        assert head.startswith(b"POST /api/ingest/a%20b/c HTTP/1.1\r\n")

    def test_the_password_is_not_in_the_requests_repr(self) -> None:
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

    def test_after_a_refusal_instead_of_100_the_photo_is_not_sent(self) -> None:
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

    def test_a_server_that_hangs_up_without_an_answer_is_an_error(self) -> None:
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

    def test_a_closed_port_is_an_error(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        assert self.error(f"http://127.0.0.1:{port}") == (
            "connection refused: nothing listens at this address"
        )

    def test_an_unknown_host_name_is_an_error(self) -> None:
        unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        with mock.patch("socket.getaddrinfo", side_effect=unknown):
            assert self.error("http://no.such") == "the server's name is not known here (DNS)"

    def test_what_http_cannot_carry_is_an_error(self) -> None:
        assert str(self.error(f"http://{'a' * 70}")).startswith("the request cannot be sent")

    def test_a_missing_photo_file_is_an_error(self) -> None:
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
