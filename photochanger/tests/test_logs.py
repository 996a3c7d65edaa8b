"""The log: its files, its events and their fields, and the name of a request in each line."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import SimpleTestCase, override_settings
from structlog.testing import capture_logs

from ingest.tests.support import IngestTestCase
from photochanger.edge.request_ids import RequestIds
from photochanger.testing.marks import live_server

SPEAK = """
from photochanger import settings
import structlog
for number in range({lines}):
    structlog.get_logger().warning("test.line.told", number=number, name={name!r})
"""
APPS = ("photochanger", "providers", "media", "slots", "ingest", "stats")


def speaker(folder: Path, *, lines: int = 1, name: str = "", **env: str) -> subprocess.Popen[str]:
    """A process that logs so many lines; people read its stderr."""
    return subprocess.Popen(
        [sys.executable, "-c", SPEAK.format(lines=lines, name=name)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"LOG_DIR": str(folder), "LOG_FORMAT": "console", **env},
        stderr=subprocess.PIPE,
        text=True,
    )


@live_server
class LogFilesTests(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "logs"

    def today(self) -> Path:
        return self.folder / f"photochanger-{date.today().isoformat()}.log"

    def aged(self, days: int, pattern: str = "photochanger-{}.log") -> Path:
        self.folder.mkdir(exist_ok=True)
        path = self.folder / pattern.format((date.today() - timedelta(days=days)).isoformat())
        path.write_text("")
        return path

    def test_concurrent_processes_write_whole_lines(self) -> None:
        talkers = [speaker(self.folder, lines=300, name=f"{n}" * 500) for n in range(3)]
        for talker in talkers:
            _, stderr = talker.communicate(timeout=120)
            self.assertEqual(talker.returncode, 0, stderr)
            self.assertEqual(stderr.count("test.line.told"), 300)
            self.assertFalse(stderr.lstrip().startswith("{"))
        lines = [json.loads(line) for line in self.today().read_text().splitlines()]
        self.assertEqual(len(lines), 900)
        self.assertEqual({line["event"] for line in lines}, {"test.line.told"})
        self.assertEqual(self.today().stat().st_mode & 0o777, 0o640)

    def test_files_are_deleted_after_the_retention(self) -> None:
        kept, old = [self.aged(days) for days in (1, 30)], [self.aged(days) for days in (31, 400)]
        others = [self.aged(99, "nginx-{}.log"), self.aged(99, "photochanger-{}.log.gz")]
        speaker(self.folder).communicate(timeout=120)
        self.assertTrue(all(path.exists() for path in (*kept, *others, self.today())))
        self.assertFalse(any(path.exists() for path in old))
        speaker(self.folder, LOG_RETENTION_DAYS="7").communicate(timeout=120)
        self.assertEqual([path.exists() for path in kept], [True, False])

    def test_an_unwritable_folder_loses_no_line_on_stderr(self) -> None:
        self.folder.write_text("not a folder")
        talker = speaker(self.folder, lines=3)
        _, stderr = talker.communicate(timeout=120)
        self.assertEqual(stderr.count("test.line.told"), 3)
        self.assertNotIn("Traceback", stderr)
        with override_settings(LOG_DIR=str(self.folder)):
            self.assertIn("photochanger.E022", {message.id for message in run_checks()})


class EventNamesTests(SimpleTestCase):
    def test_every_event_is_a_dotted_name_and_never_a_sentence(self) -> None:
        names = set()
        for app in APPS:
            for path in (settings.BASE_DIR / app).rglob("*.py"):
                inside = path.relative_to(settings.BASE_DIR).parts
                if not {"tests", "testing", "bench"} & set(inside):
                    names |= self.events(path)
        self.assertGreater(len(names), 30)
        for name in names:
            self.assertRegex(name, r"^[a-z]+\.[a-z_]+(\.[a-z_]+)?$")

    def events(self, path: Path) -> set[str]:
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
            if is_call and node.args:
                self.assertIsInstance(node.args[0], ast.Constant, f"{path}:{node.lineno}")
                found.add(str(node.args[0].value))
        return found


class EventsTests(IngestTestCase):
    """The events that operators search for, with the fields they search by."""

    def assert_told(self, lines: list[Any], event: str, **fields: Any) -> None:
        told = [line for line in lines if line["event"] == event]
        self.assertEqual(len(told), 1, (event, [line["event"] for line in lines]))
        for name, value in fields.items():
            self.assertIn(name, told[0], event)
            if value is not ...:
                self.assertEqual(told[0][name], value, (event, name))

    async def test_a_picture(self) -> None:
        with capture_logs() as lines:
            await self.post()
        self.assert_told(lines, "ingest.job.opened", log_level="info", job=..., slot="slot-001")
        self.assert_told(
            *(lines, "provider.call.finished"),
            log_level="info",
            **{"provider": "gemini", "http_status": 200, "duration_ms": ..., "job": ...},
        )
        self.assert_told(
            *(lines, "ingest.job.closed"),
            **{"log_level": "info", "status": "done", "duration_ms": ..., "size_bytes": ...},
        )

    async def test_a_failure(self) -> None:
        recipe = {"prompt": "As an oil painting [sim:400-key]"}
        await type(self.slot).objects.filter(pk="slot-001").aupdate(settings=recipe)
        with capture_logs() as lines:
            await self.post()
        failure = {"log_level": "warning", "reason": "provider_auth"}
        self.assert_told(lines, "ingest.job.closed", status="failed", **failure)
        self.assert_told(lines, "http.refused", status=503, job=..., **failure)

    def test_cleanup(self) -> None:
        with capture_logs() as lines, redirect_stdout(io.StringIO()):
            call_command("cleanup_media")
        fields = {"removed": ..., "freed_bytes": 0, "failures": 0}
        self.assert_told(lines, "media.cleanup.finished", log_level="info", **fields)

    def test_log_ins(self) -> None:
        User.objects.create_superuser("serg", password="correct-horse")
        for password, event in (
            ("correct-horse", "auth.login.success"),
            ("wrong", "auth.login.failure"),
        ):
            with capture_logs() as lines:
                self.client.post(
                    "/api/login",
                    {"username": "serg", "password": password},
                    content_type="application/json",
                )
            self.assert_told(lines, event, username="serg")
        self.assert_told(lines, "auth.login.failure", reason="invalid_credentials")


class RequestIdTests(SimpleTestCase):
    async def answered(self, headers: list[tuple[bytes, bytes]]) -> str:
        from structlog.contextvars import get_contextvars

        sent: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            sent.append(get_contextvars()["request_id"])

        async def send(message: Any) -> None:
            sent.append(dict(message["headers"])[b"x-request-id"].decode())

        await RequestIds(app)({"type": "http", "headers": headers}, None, send)
        self.assertEqual(sent[0], sent[1])
        self.assertNotIn("request_id", get_contextvars())
        return str(sent[0])

    async def test_each_request_has_its_own_id_and_ignores_the_clients(self) -> None:
        names = {await self.answered([(b"x-request-id", b"mine")]) for _ in range(5)}
        self.assertEqual(len(names), 5)
        for name in names:
            self.assertTrue(re.fullmatch(r"[0-9a-f]{16}", name))
