"""What a stranger sends in a loop neither fills the log nor buries what else stands in it."""

import io
import json
import logging
import tempfile
from contextlib import redirect_stderr
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.exceptions import TooManyFieldsSent
from django.test import SimpleTestCase, TestCase
from structlog.testing import capture_logs

from photochanger import api
from photochanger.logs import _JSON, _make_formatter, daily_files
from photochanger.logs.daily_files import DailyFiles
from photochanger.logs.strangers import PER_ADDRESS, PER_WINDOW, StrangerLines

FOREIGN = "unknown.example.com"


def clock(*seconds: float) -> Any:
    return StrangerLines(get_time=iter(seconds).__next__)


class StrangerLinesTests(SimpleTestCase):
    def test_an_address_gets_some_lines_and_the_next_one_counts_the_rest(self) -> None:
        lines = clock(*[1.0] * (PER_ADDRESS + 3), 9.9, 10.0, 10.1)
        told = [lines.admit("192.0.2.1") for _ in range(PER_ADDRESS + 3)]
        self.assertEqual(told, [0] * PER_ADDRESS + [None] * 3)
        self.assertEqual(lines.admit("192.0.2.2"), 3)
        self.assertEqual(lines.admit("192.0.2.1"), 0)
        self.assertEqual(lines.admit("192.0.2.1"), 0)

    def test_many_addresses_together_get_some(self) -> None:
        lines = clock(*[1.0] * 200)
        told = [lines.admit(f"192.0.2.{number}") for number in range(200)]
        self.assertEqual(told.count(0), PER_WINDOW)


class RefusalTests(TestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(api, "refusal_lines", clock(*[1.0] * 100)))

    def test_a_flood_of_refusals_is_a_few_lines(self) -> None:
        with capture_logs() as lines:
            for number in range(PER_ADDRESS + 20):
                self.client.get(f"/public/nowhere-{number}")
        self.assertEqual(
            len([line for line in lines if line["event"] == "http.refused"]), PER_ADDRESS
        )

    def test_an_unknown_name_is_refused_in_our_words_without_a_traceback(self) -> None:
        browser = {"Accept": "text/html", "Accept-Language": "ru"}
        for path, headers in (
            ("/admin/", browser),
            ("/", browser),
            ("/admin/login/", {"Accept": "*/*"}),
            ("/api/slots", browser),
            ("/public/slots/slot-001", {}),
        ):
            with self.subTest(path), capture_logs() as lines, self.assertNoLogs("django", "INFO"):
                answer = self.client.get(path, headers={"Host": FOREIGN, **headers})
                self.assertEqual(answer.status_code, 400)
                self.assertIn("ALLOWED_HOSTS", answer.content.decode())
                if answer["Content-Type"].startswith("text/html"):
                    self.assertIn("<h1>Неизвестное имя</h1>", answer.content.decode())
                    self.assertIn("default-src 'none'", answer["Content-Security-Policy"])
                else:
                    self.assertEqual(answer.json()["failure_reason"], "invalid_request")
                (line,) = lines
                self.assertEqual((line["event"], line["log_level"]), ("http.refused", "warning"))


class SecurityLinesTests(SimpleTestCase):
    def test_what_django_refuses_a_stranger_is_one_line_and_no_error(self) -> None:
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        handler.setFormatter(_make_formatter(_JSON)["()"](**_formatter_options()))
        logger = logging.getLogger("django.security.TooManyFieldsSent")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        with redirect_stderr(io.StringIO()):
            try:
                raise TooManyFieldsSent("too many")
            except TooManyFieldsSent as exc:
                logger.error(str(exc), exc_info=exc)
        line = json.loads(said.getvalue())
        self.assertEqual((line["event"], line["level"]), ("too many", "warning"))
        self.assertNotIn("exception", line)


def _formatter_options() -> dict[str, Any]:
    return {name: value for name, value in _make_formatter(_JSON).items() if name != "()"}


class FileSizeTests(SimpleTestCase):
    def test_a_days_file_ends_where_the_disk_must_not_fill(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        files = DailyFiles(str(folder), keep_days=30)
        self.addCleanup(files.close)
        with mock.patch.object(daily_files, "MAX_BYTES", 1000):
            for number in range(100):
                files.emit(logging.makeLogRecord({"msg": f"{number} " + "a" * 90}))
        (path,) = folder.iterdir()
        self.assertEqual(path.name, f"photochanger-{date.today().isoformat()}.log")
        lines = path.read_text().splitlines()
        self.assertLess(path.stat().st_size, 1300)
        self.assertEqual(json.loads(lines[-1])["event"], "server.log.full")
        self.assertEqual(len([line for line in lines if "server.log.full" in line]), 1)
