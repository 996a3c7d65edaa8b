"""The systemd units: how little they may, and that the server serves all the same."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import httpx
from django.core.files.base import ContentFile
from django.test import SimpleTestCase

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from media.storage.local import AtomicFileSystemStorage
from photochanger.testing import server_process
from photochanger.testing.confined import find_allowed_calls, read_unit
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import only_postgresql
from photochanger.tests.test_live_start import can_mount

UNITS = BASE_DIR / "deploy/systemd"
SERVICE = UNITS / "photochanger.service"
MOST_EXPOSED = 2.0
NOBODYS = 10001
# Everything is read-only but what the site writes; another user, and calls as the unit says.
CONFINED = (
    "mount -o remount,ro,bind / && mount --bind {root} {root} && "
    "mount -o remount,rw,bind {root} && "
    f"exec setpriv --reuid {NOBODYS} --regid {NOBODYS} --clear-groups "
    "--inh-caps -all,+dac_read_search --ambient-caps +dac_read_search {command}"
)


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
class ExposureTests(SimpleTestCase):
    def test_no_unit_is_exposed_more_than_asked(self) -> None:
        for unit in sorted(UNITS.glob("*.service")):
            told = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", unit],
                capture_output=True,
                text=True,
                check=False,
            )
            found = re.search(r"exposure level for \S+: ([\d.]+)", told.stdout)
            assert found, told.stderr
            self.assertLessEqual(float(found[1]), MOST_EXPOSED, unit.name)

    def test_no_unit_may_what_only_administrators_need(self) -> None:
        for unit in sorted(UNITS.glob("*.service")):
            calls = find_allowed_calls(read_unit(unit))
            self.assertLessEqual({"execve", "openat", "connect"}, calls, unit.name)
            self.assertFalse({"mount", "bpf", "ptrace", "chown", "setuid"} & calls, unit.name)


@only_postgresql("SQLite's file is elsewhere than what a server may write to")
@unittest.skipUnless(
    os.geteuid() == 0 and shutil.which("systemd-analyze") and can_mount(),
    "only root may make a disk read-only",
)
class ConfinedTests(LiveTestCase):
    def confine(self, *command: str) -> list[str]:
        inner = [sys.executable, "-m", "photochanger.testing.confined", str(SERVICE), *command]
        shutil.chown(self.site.root, NOBODYS, NOBODYS)
        for folder in (self.site.media_root, self.site.tmp):
            shutil.chown(folder, NOBODYS, NOBODYS)
        script = CONFINED.format(root=self.site.root, command=shlex.join(inner))
        return ["unshare", "--mount", "--ipc", "sh", "-c", script]

    def test_a_photo_comes_back_from_a_confined_server(self) -> None:
        self.site.configure()
        port = server_process.free_port()
        env = self.site.env | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "2"}
        log = self.site.logs / "confined.log"
        command = self.confine("deploy/start.sh", "serve")
        with server_process.serving(command, port=port, env=env, log=log, ready="/livez") as server:
            answer = self.post(server)
            self.assertEqual(answer.status_code, 200, answer.text[:300])
            link = answer.headers["X-Result-Url"]
            self.assertTrue(httpx.get(link).is_success)
            dear = self.post(server, jpeg(4800, 3600, progressive=True))
            self.assertEqual(dear.status_code, 200, dear.text[:300])
            for file in self.results():  # UMask=
                mode = (self.site.media_root / file).stat().st_mode
                self.assertEqual(mode & 0o007, 0, file)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(90), 0)
        for sign in ("Traceback", "threads.priority.kept"):
            self.assertNotIn(sign, log.read_text())

    def test_the_restrictions_are_there(self) -> None:
        for code in (
            "import mmap; mmap.mmap(-1, 4096, prot=7)",
            "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
            "import os; os.chown('/tmp/x', 1, 1)",
            f"open({str(BASE_DIR / 'manage.py')!r}, 'a')",
        ):
            done = subprocess.run(
                self.confine(sys.executable, "-c", code),
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertRegex(done.stderr, "PermissionError|Operation not|Read-only", code)


class ModeTests(SimpleTestCase):
    """What we write is no other user's of the machine to read."""

    def test_database_and_pictures_are_for_us_and_our_group(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            env = os.environ | {"DATABASE_URL": f"sqlite:///{folder}/photos.sqlite3"}
            command = ["sh", "-c", f"umask 0; exec {sys.executable} manage.py migrate media 0001"]
            subprocess.run(command, cwd=BASE_DIR, env=env, check=True, capture_output=True)
            mode = (Path(folder) / "photos.sqlite3").stat().st_mode
            self.assertEqual(mode & 0o777, 0o640)
            storage = AtomicFileSystemStorage(location=folder)
            storage.save("results/x.jpg", ContentFile(b"face"))
            self.assertEqual((Path(folder) / "results/x.jpg").stat().st_mode & 0o777, 0o640)
