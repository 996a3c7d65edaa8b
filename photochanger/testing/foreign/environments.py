"""Virtual environments of foreign programmes, made once and kept in `var/foreign`."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest import SkipTest

from photochanger.testing.databases import BASE_DIR

FOLDER = BASE_DIR / "var/foreign"
INSTALL_TIMEOUT_S = 900
SIGN = "NOTHING FOREIGN"  # what the summary of a test run looks for


def skip_loudly(why: str) -> SkipTest:
    """To be raised; where FOREIGN_TESTS=required, what is missing is a failure."""
    words = f"{SIGN}: {why}; `make foreign` installs it"
    if os.environ.get("FOREIGN_TESTS") == "required":
        raise RuntimeError(words)
    return SkipTest(words)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Test runs and workers that start together make a thing once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Environment:
    """One programme with all it needs; a test installs it by itself only where it is small."""

    name: str
    packages: tuple[str, ...]
    is_small: bool = False

    @cached_property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def is_installed(self) -> bool:
        return self._note.exists() and self._note.read_text().split() == list(self.packages)

    @property
    def _note(self) -> Path:
        return self.folder / "photochanger.installed"

    def obtain(self) -> None:
        """Raises SkipTest, or with FOREIGN_TESTS=required RuntimeError, when it is not here."""
        if not self.is_small and not self.is_installed:
            raise skip_loudly(f"{self.packages[0]} is not installed")
        if reason := self.install():
            raise skip_loudly(reason)

    def install(self) -> str:
        """The reason why not, if it cannot be."""
        with alone(self.name):
            if self.is_installed:
                return ""
            pip = (self.python, "-m", "pip", "install", "--quiet", "--retries=1", *self.packages)
            for command in ((sys.executable, "-m", "venv", "--clear", str(self.folder)), pip):
                try:
                    run_quietly(*command)
                except (OSError, subprocess.SubprocessError) as exc:
                    words = getattr(exc, "stderr", None) or str(exc)
                    return f"{self.packages[0]} could not be installed ({last_line(words)})"
            self._note.write_text("\n".join(self.packages))
        return ""


def run_quietly(*command: str, cwd: Path | None = None) -> None:
    """Raises CalledProcessError with what the command said, or TimeoutExpired."""
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        timeout=INSTALL_TIMEOUT_S,
        text=True,
        cwd=cwd,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )


def last_line(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1][:300] if lines else "no word why"


GOOGLE = Environment(
    "google-genai",
    ("google-genai[aiohttp]==3.4.0", "pytest==9.2.0", "pytest-asyncio==1.5.0"),
    is_small=True,
)
LITELLM = Environment("litellm", ("litellm==1.110.2",))
PHOTOBOOTH_APP = Environment("photobooth-app", ("photobooth-app==9.0.0",))
PIBOOTH = Environment("pibooth", ("pibooth==2.1.1", "pibooth-stillimage-camera==0.1.4"))
ENVIRONMENTS = (GOOGLE, LITELLM, PHOTOBOOTH_APP, PIBOOTH)
