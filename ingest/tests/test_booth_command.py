"""`manage.py booth`: what it prints, saves and returns."""

import io
import json
import os
import re
import socket
import tempfile
import threading
from pathlib import Path
from unittest import mock

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase

from ingest.tests.booth_server import (
    Caller,
    Server,
    answering,
    http_answer,
    picture,
    refusal,
    serving,
)
from photochanger.testing.waiting import PATIENCE_S


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

    def list_saved(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "out").iterdir())

    def test_pictures_are_saved_and_listed(self) -> None:
        link = "http://photos.example/public/results/0a1b2c3d-4e5f"
        headers = ("X-Job-Id: 0a1b2c3d-4e5f", f"X-Result-Url: {link}", "Content-Type: text/plain")
        with serving(answering(http_answer("200 OK", picture("PNG"), *headers))) as server:
            output = self.booth(server, "--count", "3", "--parallel", "2")
        assert self.list_saved() == [f"slot-001-00{number}-0a1b2c3d.png" for number in (1, 2, 3)]
        assert len(server.callers) == 3, "a new connection for each photo"
        assert "image/png" in output
        assert link in output
        assert "3 of 3 answered 200 with a picture" in output
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

    def test_a_wrong_password_is_reported_in_the_servers_sentence(self) -> None:
        wrong = refusal("401 Unauthorized", "invalid_password", "Неверный пароль")
        with serving(answering(wrong)) as server:
            output = self.failing_booth(server, "--count", "2")
        assert "2 x 401 invalid_password: Неверный пароль" in output
        assert "0 of 2 answered 200" in output

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
            output = self.failing_booth(server)
        assert "200 no_picture" in output
        assert self.list_saved() == []

    def test_no_server_is_a_row_and_not_a_traceback(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        output = self.failing_booth(f"http://127.0.0.1:{port}")
        assert "1 x no answer no_answer: connection refused" in output

    def test_a_redirect_is_reported_as_a_lost_photo(self) -> None:
        moved = http_answer("308 Permanent Redirect", b"", "Location: /api/ingest/slot-001/")
        with serving(answering(moved)) as server:
            output = self.failing_booth(server)
        assert "redirected to /api/ingest/slot-001/: a booth does not follow" in output

    def test_an_error_page_of_another_server_hints_at_the_address(self) -> None:
        with serving(answering(http_answer("502 Bad Gateway", b"<html>[red]"))) as server:
            output = self.failing_booth(server)
        assert "502 http_502: not an answer of PhotoChanger" in output

    def test_a_hostile_answer_cannot_steer_the_terminal_or_the_disk(self) -> None:
        evil = refusal("500 Oops", "[bold]\x1b[2Jbang", "\x1b]0;owned\x07\u202eevil" + "x" * 5000)
        with serving(answering(evil)) as server:
            output = self.failing_booth(server)
        assert "\x1b" not in output + self.err.getvalue()
        assert "\u202e" not in output
        assert "[bold]" in output, "a bracket is a bracket, not markup"
        assert len(output) < 5000
        odd = http_answer("200 OK", picture(), "X-Job-Id: ../../../etc/passwd")
        with serving(answering(odd)) as server:
            self.booth(server, "--slot", "../up")
        assert self.list_saved() == ["___up-001-etcpassw.jpg"]

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
        query = ("--query", "guest=Анна Б", "--query", "n=1")
        with serving(answering(http_answer("200 OK", picture()))) as server:
            self.booth(server, *options, *query, "--idempotency-key", "k", "--slot", "slot-015")
        caller = server.callers[0]
        target = b"/api/ingest/slot-015?guest=%D0%90%D0%BD%D0%BD%D0%B0+%D0%91&n=1"
        assert caller.head.startswith(b"POST " + target + b" HTTP/1.1\r\n")
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
