"""`manage.py watch` as a process: from a booth's lost photos to a phone, and without a database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.test import SimpleTestCase

from ingest.tests.live_support import LiveTestCase
from photochanger.testing import live, server_process
from photochanger.testing.databases import BASE_DIR, own_postgres
from photochanger.testing.marks import both_databases, live_server, only_postgresql
from photochanger.testing.waiting import wait_until
from stats.tests.watch_support import (
    CHAT,
    MAIL_PASSWORD,
    TOKEN,
    MailServer,
    TelegramServer,
    mail_address,
    mail_server,
    telegram,
    telegram_address,
)

ADD = """
from django.utils import timezone
from stats.models import AlertRecipient
from stats.watch.channels import seal_address
AlertRecipient.objects.create(
    name="x", channel={channel!r}, address=seal_address({address!r}), told_from=timezone.now()
)
"""


@contextmanager
def run_watch(
    site: live.LiveSite, log: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "watch"],
            cwd=BASE_DIR,
            env=site.env | dict(env),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(90)


def add_recipients(site: live.LiveSite, mail: MailServer) -> None:
    for channel, address in (
        ("telegram", telegram_address()),
        ("email", mail_address(mail.port)),
    ):
        code = ADD.format(channel=channel, address=address)
        site.manage("shell", "--verbosity", "0", "-c", code)


@live_server
@both_databases
class WholeWayTests(LiveTestCase):
    def test_a_failing_service_reaches_phone_and_mailbox_and_so_does_its_end(self) -> None:
        with telegram() as phone, mail_server() as mail, self.site.server() as server:
            self.site.configure(settings={"prompt": "As an oil painting"})
            add_recipients(self.site, mail)
            env = {"TELEGRAM_BASE_URL": phone.url}
            log = self.site.logs / "watch.log"
            with run_watch(self.site, log, env) as one, run_watch(self.site, log, env) as other:
                wait_until(lambda: "lease_changed" in log.read_text())
                self.site.execute('UPDATE slot SET settings = \'{"prompt": "[sim:400-key]"}\'')
                for _ in range(3):
                    self.assertEqual(self.post(server).status_code, 503)
                begun = time.monotonic()
                wait_until(lambda: bool(phone.texts and mail.mails))
                print(f"told {time.monotonic() - begun:.1f} s after the third lost photo")
                self.site.execute('UPDATE slot SET settings = \'{"prompt": "A beach"}\'')
                self.assertEqual(self.post(server).status_code, 200)
                wait_until(lambda: len(phone.texts) == 2 and len(mail.mails) == 2, within_s=240)
                self.assertIsNone(one.poll())
                self.assertIsNone(other.poll())
            self.assert_told_once(phone, log)

    def assert_told_once(self, phone: TelegramServer, log: Path) -> None:
        self.assertIn("slot-001", phone.texts[0])
        self.assertIn("прошло", phone.texts[1])
        said = log.read_text()
        self.assertNotIn("Traceback", said)
        for secret in (TOKEN, CHAT, MAIL_PASSWORD):
            self.assertNotIn(secret, said)


@only_postgresql("a server of its own that stops and starts")
@live_server
class OutageTests(SimpleTestCase):
    def test_a_stopped_database_is_told_from_memory_and_its_end_from_rows(self) -> None:
        postgres = self.enterContext(own_postgres())
        site = self.enterContext(live.site_on(postgres.url))
        site.env["GEMINI_BASE_URL"] = "http://127.0.0.1:1"
        log = site.logs / "watch.log"
        with telegram() as phone, mail_server() as mail:
            add_recipients(site, mail)
            with run_watch(site, log, {"TELEGRAM_BASE_URL": phone.url}):
                wait_until(lambda: "lease_changed" in log.read_text())
                phone.is_down = True
                try:
                    postgres.stop()
                    begun = time.monotonic()
                    wait_until(lambda: bool(mail.mails))
                    print(f"told {time.monotonic() - begun:.1f} s after the database stopped")
                    wait_until(lambda: bool(phone.calls))
                    phone.is_down = False
                    wait_until(lambda: bool(phone.texts))
                finally:
                    postgres.start()
                wait_until(lambda: len(phone.texts) == 2 and len(mail.mails) == 2)
        self.assertIn("База данных", phone.texts[0])
        self.assertIn("прошло", phone.texts[1])
        rows = site.rows("SELECT rule, closed_at IS NOT NULL FROM alert")
        self.assertEqual(rows, [("database", True)])
        self.assertNotIn("Traceback", log.read_text())


@live_server
class StartTests(SimpleTestCase):
    def test_the_watch_comes_with_the_server_and_goes_with_it(self) -> None:
        with live.site() as site:
            port = server_process.free_port()
            env = site.env | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
            log = site.logs / "together.log"
            with server_process.serving(
                [str(BASE_DIR / "deploy/start.sh"), "together"],
                port=port,
                env=env,
                log=log,
                ready="/livez",
            ) as server:
                wait_until(lambda: "stats.watch.lease_changed" in log.read_text())
                rows = site.rows("SELECT holder FROM watch_lease")
                watch = psutil.Process(int(rows[0][0].split(":")[1]))
                self.assertIn("--beside", watch.cmdline())
                self.assertEqual(watch.cmdline()[-1], str(server.process.pid))
                self.assertNotEqual(watch.pid, os.getpid())
            wait_until(lambda: not watch.is_running() or watch.status() == "zombie")
            self.assertIn("stats.watch.ended", log.read_text())
