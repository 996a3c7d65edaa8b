"""Pictures that others collected to break readers of pictures; kept in `var/foreign`."""

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from photochanger.testing.foreign.environments import (
    FOLDER,
    alone,
    last_line,
    run_quietly,
    skip_loudly,
)

APT = Path("/etc/apt")


@dataclass(frozen=True)
class Corpus:
    """``download`` puts an archive into the folder it is given; ``inside`` is where they are."""

    name: str
    inside: str
    download: Callable[[Path], None]

    @cached_property
    def folder(self) -> Path:
        return FOLDER / self.name

    def obtain(self) -> list[Path]:
        """All its files, in their order. Raises SkipTest when `make foreign` has not run."""
        if not self.folder.is_dir():
            raise skip_loudly(f"the pictures of {self.name} are not here")
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def install(self) -> str:
        """The reason why not, if they cannot be had."""
        with alone(self.name):
            if self.folder.is_dir():
                return ""
            work = FOLDER / f"{self.name}.part"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            try:
                self.download(work)
                [archive] = work.glob("*.tar.*")
                self._unpack(archive, work / "files")
            except (OSError, ValueError, subprocess.SubprocessError, tarfile.TarError) as exc:
                words = getattr(exc, "stderr", None) or str(exc)
                return f"the pictures of {self.name} cannot be had ({last_line(words)})"
            (work / "files").rename(self.folder)
            shutil.rmtree(work)
        return ""

    def _unpack(self, archive: Path, folder: Path) -> None:
        """Each file under the path it has below ``inside``."""
        with tarfile.open(archive) as tar:
            for member in tar:
                _, found, name = member.name.partition(f"/{self.inside}/")
                if found and name and member.isfile():
                    member.name = name
                    tar.extract(member, folder, filter="data")


def download_pillow(folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:")
    run_quietly(*pip, "--dest", str(folder), "pillow==13.0.0")


def download_exiv2(folder: Path) -> None:
    """From Debian's sources, without touching what the machine's own apt is set to."""
    sources, lists = folder / "sources", folder / "lists"
    sources.mkdir()
    (lists / "partial").mkdir(parents=True)
    for file in (APT / "sources.list", *(APT / "sources.list.d").glob("debian*")):
        if file.is_file():
            lines = (name_sources(line) for line in file.read_text().splitlines())
            (sources / file.name).write_text("\n".join(lines) + "\n")
    own = [
        *("-o", f"Dir::Etc::sourcelist={sources}/sources.list"),
        *("-o", f"Dir::Etc::sourceparts={sources}", "-o", f"Dir::State::lists={lists}"),
    ]
    run_quietly("apt-get", *own, "--quiet=2", "update")
    run_quietly(
        *("apt-get", *own, "--quiet=2", "--download-only", "--tar-only", "source", "exiv2"),
        cwd=folder,
    )


def name_sources(line: str) -> str:
    """A line of apt's settings, in its new or its old form, for sources instead of binaries."""
    if line.startswith("Types:"):
        return "Types: deb-src"
    return f"deb-src {line.removeprefix('deb ')}" if line.startswith("deb ") else line


PILLOW = Corpus("pillow", "Tests/images", download_pillow)
EXIV2 = Corpus("exiv2", "test/data", download_exiv2)
CORPORA = (PILLOW, EXIV2)
