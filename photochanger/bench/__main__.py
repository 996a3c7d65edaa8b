"""`make bench`: against a thin baseline, what a crowd of waiting photos holds, and cleanup."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from photochanger.bench import photos
from photochanger.bench.admissions import admissions
from photochanger.bench.cleanup import cleanup
from photochanger.bench.downloads import downloads
from photochanger.bench.faces import faces
from photochanger.bench.figures import Requirements
from photochanger.bench.guard import guard
from photochanger.bench.lab import lab
from photochanger.bench.links.photos import CAMERAS
from photochanger.bench.links.places import PLACES
from photochanger.bench.links.section import LinksPlan, links
from photochanger.bench.overhead import ceiling, overhead
from photochanger.bench.pages import pages
from photochanger.bench.pictures import pictures
from photochanger.bench.prints import prints
from photochanger.bench.refusals import refusals
from photochanger.bench.stats import stats
from photochanger.bench.waiting import Crowd, waiting
from photochanger.testing import live

SECTIONS = (
    "pictures",
    "overhead",
    "ceiling",
    "waiting",
    "guard",
    "cleanup",
    "downloads",
    "stats",
    "pages",
    "faces",
    "links",
    "admissions",
    "refusals",
    "lab",
    "prints",
)
SIMPLE = {
    **{"guard": guard, "stats": stats, "pages": pages, "faces": faces},
    **{"admissions": admissions, "refusals": refusals, "lab": lab, "prints": prints},
}
NEED_PHOTOS = {"pictures", "overhead", "ceiling", "waiting"}
REPEATS = {"50kb": 20, "1mb": 20, "15mb": 10}
PIPE_WIDTH = 160
CROWD_COUNTS = {"50kb": 100, "1mb": 80, "15mb": 40}


def main() -> int:
    given = parse_arguments()
    # A pipe has no width of its own; 80 columns would cut the tables.
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    requirements = Requirements()
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; compare ratios only.\n")
    with (
        tempfile.TemporaryDirectory(prefix="pc-bench-") as folder,
        live.site(given.database) as site,
    ):
        site.configure()
        if set(given.only) & NEED_PHOTOS:
            send_photos(given, site, Path(folder), requirements, console)
        if "links" in given.only:
            plan = LinksPlan(
                places=tuple(place for place in PLACES if place.name in given.places),
                cameras=tuple(given.cameras),
                repeats=given.runs,
                is_tls=given.tls,
                release=given.release,
            )
            links(site, Path(folder), plan, console)
        for name, measure in SIMPLE.items():
            if name in given.only:
                measure(site, requirements, console)
        if "downloads" in given.only:
            downloads(site, given.phones, requirements, console)
        if "cleanup" in given.only:
            cleanup(site, given.cleanup_files, requirements, console)
    for broken in requirements.broken:
        console.print(f"[red]Broken:[/] {broken}")
    return 1 if requirements.broken else 0


def send_photos(
    given: argparse.Namespace,
    site: live.LiveSite,
    folder: Path,
    requirements: Requirements,
    console: Console,
) -> None:
    with console.status("Making photos"):
        made = {name: photos.make(name, folder) for name in given.sizes}
        big = made.get("15mb") or photos.make("15mb", folder)
    if "pictures" in given.only:
        pictures(made, requirements, console)
    if "overhead" in given.only:
        overhead(site, made, given.repeats, console)
    if "ceiling" in given.only:
        ceiling(site, made, given.counts, console)
    if "waiting" in given.only:
        crowd = Crowd(given.waiting, given.waiting_rate, given.waiting_latency)
        waiting(site, big, crowd, requirements, console)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m photochanger.bench", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        default=list(SECTIONS),
        help="what is measured; default all",
    )
    _add_photo_arguments(parser)
    places = [place.name for place in PLACES]
    parser.add_argument("--places", nargs="+", choices=places, default=places, help="of links")
    parser.add_argument(
        "--cameras",
        nargs="+",
        choices=list(CAMERAS),
        default=list(CAMERAS),
        help="whose photos go over links",
    )
    parser.add_argument("--tls", action="store_true", help="to the provider, over links")
    parser.add_argument("--release", default="", help="keep the figures of links under this name")
    return _fill_in(parser.parse_args())


def _add_photo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sizes",
        nargs="+",
        choices=list(photos.SIZES),
        default=list(photos.SIZES),
        help="of photos; default all",
    )
    parser.add_argument(
        "--repeats", type=int, help="photos per size and server; default 20, big 10"
    )
    parser.add_argument("--quick", action="store_true", help="a fifth of everything")
    parser.add_argument(
        "--database",
        choices=("postgresql", "sqlite"),
        default="postgresql",
        help="of the measured server; default postgresql",
    )
    parser.add_argument("--waiting", type=int, help="photos that wait at once; default 200")
    parser.add_argument(
        "--waiting-rate", type=float, default=17.0, help="arrivals a second, at most"
    )
    parser.add_argument("--waiting-latency", type=float, help="provider, seconds; default 15")
    parser.add_argument("--cleanup-files", type=int, help="pictures that are over; default 20000")
    parser.add_argument("--phones", type=int, help="that download at once; default 500")
    parser.add_argument("--runs", type=int, help="over each link; the best counts; default 3")


def _fill_in(given: argparse.Namespace) -> argparse.Namespace:
    """The defaults, which ``--quick`` divides."""
    share = 5 if given.quick else 1
    given.counts = {name: count // share for name, count in CROWD_COUNTS.items()}
    given.repeats = {
        name: given.repeats or max(6, count // share) for name, count in REPEATS.items()
    }
    given.cleanup_files = given.cleanup_files or 20_000 // share
    given.phones = given.phones or 500 // share
    given.runs = given.runs or (1 if given.quick else 3)
    given.waiting = given.waiting or 200 // share
    # Longer than the arrivals take, so that all of them wait at the same moment.
    given.waiting_latency = given.waiting_latency or (5.0 if given.quick else 15.0)
    return given


if __name__ == "__main__":
    sys.exit(main())
