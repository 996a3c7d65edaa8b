import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.test import SimpleTestCase, override_settings

from photochanger.logs.syslog import NonBlockingSyslogHandler, parse_address
from photochanger.testing.marks import live_server

SPEAK = """
import time
from photochanger import settings
import structlog
started = time.monotonic()
for number in range({lines}):
    structlog.get_logger().warning("test.line.told", number=number)
print(time.monotonic() - started)
"""


def speak(address: str, *, lines: int = 1) -> tuple[float, str]:
    """A process that logs so many lines; returns the seconds that took, and its stderr."""
    done = subprocess.run(
        [sys.executable, "-c", SPEAK.format(lines=lines)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"SYSLOG_ADDRESS": address, "LOG_FORMAT": "console"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout), done.stderr


@live_server
class SyslogTests(SimpleTestCase):
    def socket_in_a_folder(self) -> tuple[socket.socket, str]:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = str(Path(folder) / "log")
        listener = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        listener.settimeout(90)
        listener.bind(path)
        return listener, path

    def assert_line(self, datagram: bytes) -> None:
        priority, tag, line = datagram.decode().partition("photochanger: ")
        self.assertEqual((priority, tag), ("<12>", "photochanger: "))
        told = json.loads(line)
        self.assertEqual((told["event"], told["level"]), ("test.line.told", "warning"))

    def test_lines_arrive_by_udp_as_json_whatever_stderr_shows(self) -> None:
        listener = self.enterContext(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listener.settimeout(90)
        listener.bind(("127.0.0.1", 0))
        _, stderr = speak(f"localhost:{listener.getsockname()[1]}")
        self.assert_line(listener.recv(65536))
        self.assertIn("test.line.told", stderr)

    def test_lines_arrive_at_a_local_socket(self) -> None:
        listener, path = self.socket_in_a_folder()
        speak(path)
        self.assert_line(listener.recv(65536))

    def test_an_unavailable_syslog_is_ignored_silently(self) -> None:
        for address in ("/nowhere/log", "127.0.0.1:9", "no.such.host.invalid:514"):
            took_s, stderr = speak(address, lines=50)
            self.assertLess(took_s, 10, address)  # a second for each would be 50
            self.assertEqual(stderr.count("test.line.told"), 50)
            self.assertNotIn("Logging error", stderr)

    def test_a_syslog_that_reads_nothing_is_not_waited_for(self) -> None:
        _listener, path = self.socket_in_a_folder()
        took_s, stderr = speak(path, lines=1000)
        self.assertLess(took_s, 30)  # a tenth of a second for each would be 100
        self.assertEqual(stderr.count("test.line.told"), 1000)

    def test_a_syslog_that_starts_late_is_found(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = str(Path(folder) / "log")
        handler = NonBlockingSyslogHandler(path)
        self.addCleanup(handler.close)
        handler.handle(handler_record("before"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(90)
            handler.handle(handler_record("after"))
            self.assertEqual(listener.recv(1024), b"<14>photochanger: after")

    def test_addresses(self) -> None:
        for text, expected in {
            "/dev/log": "/dev/log",
            "logs.example.com": ("logs.example.com", 514),
            "10.0.0.1:1514": ("10.0.0.1", 1514),
            "[::1]:1514": ("::1", 1514),
        }.items():
            self.assertEqual(parse_address(text), expected)

    def test_a_wrong_address_stops_the_start_and_says_what_to_do(self) -> None:
        for text in ("udp://logs:514", "logs:many", "dev/log", ":514", "logs:99999", "[logs"):
            with self.subTest(text), override_settings(SYSLOG_ADDRESS=text):
                found = [message for message in run_checks() if message.id == "photochanger.E010"]
                self.assertEqual(len(found), 1)
                self.assertNotIn(text, found[0].msg)


def handler_record(text: str) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, None, None)
