"""pibooth 2.1, which nobody here wrote, sends its captures to a slot and prints what comes back.

It runs as it is, from the guest's button to the print, with a still camera by others (the
registry's `pibooth-stillimage-camera`) and the plugin of `deploy/booths`.
"""

import subprocess
from pathlib import Path

from ingest.tests.foreign_booths import PLUGINS, SAME, START_S, BoothTestCase
from photochanger.testing.foreign import PIBOOTH
from photochanger.testing.foreign.reference import measure_difference
from photochanger.testing.marks import foreign

# Presses the button once, as a guest does, and switches the booth off when it waits again.
HAND = """
import pibooth, pygame

entered = []

@pibooth.hookimpl
def state_wait_enter():
    entered.append("wait")

@pibooth.hookimpl
def state_wait_do():
    event = pygame.KEYDOWN if len(entered) == 1 else pygame.QUIT
    pygame.event.post(pygame.event.Event(event, key=pygame.K_p, mod=0))

@pibooth.hookimpl
def state_finish_exit(win):
    pygame.image.save(win.surface, "screen.png")
"""
SETTINGS = """
[GENERAL]
debug = True
directory = "{folder}/pictures"
plugins = "{plugin}", "{folder}/hand.py"
[WINDOW]
flash = False
preview_delay = 1
chosen_delay = 0
finish_picture_delay = 1
[PICTURE]
captures = {captures}
orientation = landscape
margin_thick = 0
captures_cropping = True
footer_text1 =
footer_text2 =
[CAMERA]
resolution = (1440, 960)
dummy_background = orange
[PRINTER]
printer_delay = 0
[PHOTOCHANGER]
url = {url}
password = {password}
"""


@foreign
class PiboothTests(BoothTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        PIBOOTH.obtain()
        super().setUpClass()

    def take_photo(self, *, captures: int = 1, password: str = "") -> tuple[bytes, str]:
        """The picture to be printed, and what the booth said meanwhile."""
        self.write("hand.py", HAND)
        settings = SETTINGS.format(
            folder=self.folder,
            plugin=PLUGINS / "pibooth/photochanger_pibooth.py",
            captures=captures,
            url=f"{self.server.url}/ingest/slot-001",
            password=password or self.site.password,
        )
        self.write("settings/pibooth.cfg", settings)
        words = self.run_booth()
        [printed] = Path(self.folder, "pictures").glob("*.jpg")
        return printed.read_bytes(), words

    def run_booth(self) -> str:
        done = subprocess.run(
            [PIBOOTH.python, "-m", "pibooth.booth", "--nolog", str(self.folder / "settings")],
            cwd=self.folder,
            env=self.environment(self.folder / "home"),
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        return done.stdout + done.stderr

    def test_the_print_is_made_of_the_picture_that_came_back(self) -> None:
        self.configure()
        printed, words = self.take_photo()
        assert self.provider.state()["calls"] == 1
        assert "/public/results/" in words
        difference = measure_difference(self.last_result(), printed)
        assert difference is not None
        assert difference < SAME
        assert self.site.password not in words

    def test_every_capture_is_sent_once(self) -> None:
        self.configure()
        _, words = self.take_photo(captures=2)
        assert words.count("/public/results/") == 2, words

    def test_a_capture_stays_as_taken_when_nothing_comes_back(self) -> None:
        self.configure()
        printed, words = self.take_photo(password="wrong-password-1")
        assert "invalid_password" in words
        assert printed[:3] == b"\xff\xd8\xff"
        assert not self.provider.state()["calls"]
