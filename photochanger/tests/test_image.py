"""What the Dockerfile's steps leave behind, run here in a copy of the tree."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.test import SimpleTestCase

from photochanger.testing.databases import BASE_DIR

PACKAGES = Path(sys.executable).parents[1]


def find_step(words: str) -> str:
    """The RUN of the Dockerfile that has these words in it, as a line for the shell."""
    text = (BASE_DIR / "Dockerfile").read_text().replace("\\\n", " ")
    (found,) = [line[4:] for line in text.splitlines() if line.startswith("RUN ") and words in line]
    return found


def skip_compiling(step: str) -> str:
    """It takes long, and Python finds its way without."""
    return " && ".join(part for part in step.split("&&") if "compileall" not in part)


def copy_tree(folder: Path) -> None:
    """As git writes it for a user who shows files to nobody else."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=BASE_DIR, capture_output=True, text=True, check=True
    )
    for name in names.stdout.rstrip("\0").split("\0"):
        if "/tests/" not in name and (BASE_DIR / name).is_file():
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy(BASE_DIR / name, folder / name)
            (folder / name).chmod(stat.S_IMODE((folder / name).stat().st_mode) & 0o700)
    (folder / ".venv").symlink_to(PACKAGES)


def find_hidden(folder: Path) -> Iterator[str]:
    """What another user than the owner cannot open."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            continue  # our packages
        mode = path.stat().st_mode
        if not mode & stat.S_IROTH or (path.is_dir() and not mode & stat.S_IXOTH):
            yield str(path)


class ImageTests(SimpleTestCase):
    def test_the_user_that_runs_it_can_read_what_was_made_when_it_was_built(self) -> None:
        """manage.py writes for its own user and group alone, and builds as root."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            copy_tree(folder)
            step = skip_compiling(find_step("collectstatic"))
            env = {"PATH": os.environ["PATH"]}
            subprocess.run(["sh", "-c", f"umask 022; {step}"], cwd=folder, env=env, check=True)
            self.assertTrue(list((folder / "var/static").rglob("*.css")))
            self.assertEqual(list(find_hidden(folder)), [])
            self.assertTrue(list((folder / "photochanger/locale").rglob("*.mo")))
