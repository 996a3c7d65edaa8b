"""photobooth-app 9, which nobody here wrote, sends its photos to a slot and shows what comes back.

It runs as it is, with its virtual camera and the plugin of `deploy/booths`.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ingest.tests.foreign_booths import PLUGINS, SAME, START_S, BoothTestCase
from photochanger.testing import server_process
from photochanger.testing.foreign import PHOTOBOOTH_APP
from photochanger.testing.foreign.environments import FOLDER
from photochanger.testing.foreign.reference import measure_difference
from photochanger.testing.marks import foreign
from photochanger.testing.waiting import wait_until

ACTION = {
    "jobcontrol": {"countdown_capture": 0},
    "processing": {"image_filter": "Photochanger.slot-001"},
    "trigger": {},
}


@foreign
class PhotoboothAppTests(BoothTestCase):
    """A photo is taken by the address that the app's own button asks for."""

    booth: server_process.Server

    @classmethod
    def setUpClass(cls) -> None:
        PHOTOBOOTH_APP.obtain()
        super().setUpClass()
        shutil.copytree(PLUGINS / "photobooth-app", cls.folder / "plugins")
        cls.booth = cls.enterClassContext(cls().running())

    @contextmanager
    def running(self) -> Iterator[server_process.Server]:
        port = server_process.free_port()
        access = {"server": self.server.url, "password": self.site.password}
        self.write("config/config.json", json.dumps({"actions": {"image": [ACTION]}}))
        self.write("config/plugin_photochanger.json", json.dumps(access))
        # The folder it is started in is the app's own; its camera plays a film that it unpacks
        # into the home once.
        start = (
            f"import os; os.chdir({str(self.folder)!r}); from photobooth.__main__ import main; "
            f"main(['--host', '127.0.0.1', '--port', '{port}'])"
        )
        with server_process.serving(
            [PHOTOBOOTH_APP.python, "-c", start],
            port=port,
            env=self.environment(FOLDER / "photobooth-app-home"),
            log=self.folder / "booth.log",
        ) as server:
            yield server

    def take_photo(self) -> bytes:
        """The new picture of the app's gallery, as its pages show it."""
        before = len(self.gallery())
        httpx.get(f"{self.booth.url}/api/actions/image/0", timeout=60).raise_for_status()
        wait_until(lambda: len(self.gallery()) > before, within_s=START_S, every_s=0.3)
        newest = max(self.gallery(), key=lambda item: item["created_at"])
        shown = httpx.get(f"{self.booth.url}/media/full/{newest['id']}", timeout=60)
        return shown.raise_for_status().content

    def gallery(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.booth.url}/api/mediacollection/", timeout=60)
        items: list[dict[str, Any]] = answer.raise_for_status().json()
        return items

    def test_its_gallery_shows_the_picture_that_came_back(self) -> None:
        self.configure()
        shown = self.take_photo()
        assert self.provider.state()["calls"] == 1, self.booth.log_text()[-3000:]
        difference = measure_difference(self.last_result(), shown)
        assert difference is not None
        assert difference < SAME

    def test_the_guest_keeps_the_photo_when_none_comes_back(self) -> None:
        self.configure("img-safety")
        shown = self.take_photo()
        assert shown[:3] == b"\xff\xd8\xff"
        assert "content_blocked" in self.booth.log_text()

    def test_guests_are_not_offered_what_costs_and_see_no_password(self) -> None:
        offered = httpx.get(f"{self.booth.url}/api/filter/", timeout=60).json()
        assert offered
        assert not [name for name in offered if name.startswith("Photochanger")]
        assert self.site.password not in self.booth.log_text()
