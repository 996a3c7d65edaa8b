"""The example client and the curl examples of spec/api.md, on a real server."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from PIL import Image

from photochanger.testing import live
from photochanger.testing.databases import BASE_DIR, chosen_database
from photochanger.testing.marks import live_server

CLIENT = BASE_DIR / "spec/examples/photochanger_client.py"


@live_server
class ExampleTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        site = cls.enterClassContext(live.site(chosen_database()))
        said = site.manage("sync_admins", "--generate", "--usernames", "serg")
        cls.password = said.split("serg")[1].split()[0]
        cls.enterClassContext(site.simulator())
        site.configure(prompt="Make it a beach")
        cls.server = cls.enterClassContext(site.server())
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        Image.effect_noise((320, 240), 40).convert("RGB").save(cls.folder / "PHOTO.jpg")

    def run_client(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(CLIENT), self.server.url, "--user", "serg", *arguments],
            env={"PATH": os.environ["PATH"], "PHOTOCHANGER_PASSWORD": self.password},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.stdout if done.returncode == 0 else done.stderr

    def test_the_client_does_all_that_it_shows(self) -> None:
        self.assertIn("slot-001  on", self.run_client("slots"))
        self.assertRegex(self.run_client("prompt", "slot-001", "As a watercolour"), r"version \d+")
        said = self.run_client("try", "slot-001", "PHOTO.jpg", "out.jpg")
        self.assertRegex(said, r"out\.jpg: \d+ ms, shown at http")
        self.assertGreater(Image.open(self.folder / "out.jpg").width, 100)
        self.assertIn("0 photos, 0 too late", self.run_client("stats"))  # test runs apart

    def test_the_client_says_what_was_refused(self) -> None:
        said = self.run_client("prompt", "slot-001", "")
        self.assertIn("400 invalid_request", said)
        self.assertIn("settings.prompt", said)
        self.assertIn("404 slot_not_found", self.run_client("prompt", "slot-099", "x"))

    def test_the_curl_examples_work_word_for_word(self) -> None:
        if shutil.which("curl") is None:
            self.skipTest("no curl here")
        page = (BASE_DIR / "spec/api.md").read_text()
        found = re.search(r"## Examples with curl\n.*?```sh\n(.*?)```", page, re.DOTALL)
        assert found
        script = found[1].replace("http://127.0.0.1:8000", self.server.url)
        script = script.replace("<the password>", self.password)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"is_active"', done.stdout)
        self.assertIn("As a watercolour", done.stdout)
        self.assertIn('"attempts"', done.stdout)
        self.assertIn('"jobs_last_window"', done.stdout)
        self.assertGreater(Image.open(self.folder / "picture").width, 100)
