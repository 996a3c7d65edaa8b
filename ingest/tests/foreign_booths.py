"""Shared by the tests of foreign booths: a site with one slot, a folder, a booth's environment."""

import os
import tempfile
from pathlib import Path

import httpx

from ingest.tests.live_support import LiveTestCase
from photochanger.testing import server_process
from photochanger.testing.databases import BASE_DIR

PLUGINS = BASE_DIR / "deploy/booths"
START_S = 300  # a booth loads for many seconds, on a busy machine for a minute
# Of 255, after each booth's own resizing: the same picture; another is above 30.
SAME = 12


class BoothTestCase(LiveTestCase):
    server: server_process.Server
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = cls.enterClassContext(cls.site.server())
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def configure(self, scenario: str = "ok") -> None:
        self.site.configure(prompt=f"As an oil painting [sim:{scenario}]")

    def last_result(self) -> bytes:
        """The picture that was made for the last photo, by its public link."""
        [(job_id,)] = self.site.rows(
            "SELECT job_id FROM job_history ORDER BY started_at DESC LIMIT 1"
        )
        answer = httpx.get(f"{self.server.url}/public/results/{job_id}", timeout=60)
        return answer.raise_for_status().content

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def environment(self, home: Path) -> dict[str, str]:
        """No screen, no sound, no proxy, and nothing of the caller's."""
        home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1",
            "SDL_VIDEODRIVER": "dummy",
            "SDL_AUDIODRIVER": "dummy",
            "PYTHONUNBUFFERED": "1",
        }
