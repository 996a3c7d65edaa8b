"""Where the workers of one server count: a folder that comes and goes with its master."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

# A master that says where it counts, has a worker come and go, and ends.
MASTER = """
import os, pathlib
from photochanger.server import worker_metrics
worker_metrics.SHARED_MEMORY = pathlib.Path(os.environ["SHARED"])
folder = worker_metrics.start()
assert worker_metrics.start() == folder, "it read its settings again"
if os.fork() == 0:
    raise SystemExit
os.wait()
print(folder, os.path.isdir(folder))
"""


class FolderTests(SimpleTestCase):
    def setUp(self) -> None:
        self.place = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def left_by(self, process_id: int | str) -> Path:
        folder = self.place / f"photochanger-metrics-{socket.gethostname()}-{process_id}-x"
        folder.mkdir()
        return folder

    def test_the_folder_is_removed_with_its_master_or_by_the_next_one(self) -> None:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        killed, living, strange = (
            self.left_by(dead.pid),
            self.left_by(os.getpid()),
            self.left_by("x"),
        )
        elsewhere = self.place / f"photochanger-metrics-other-host-{dead.pid}-x"
        elsewhere.mkdir()
        said = subprocess.run(
            [sys.executable, "-c", MASTER],
            cwd=settings.BASE_DIR,
            env=os.environ | {"SHARED": str(self.place)},
            capture_output=True,
            text=True,
            check=True,
        )
        folder, was_there = said.stdout.split()
        self.assertEqual(was_there, "True")
        self.assertFalse(Path(folder).exists() or killed.exists())
        self.assertTrue(living.exists() and strange.exists() and elsewhere.exists())
