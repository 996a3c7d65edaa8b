"""`make foreign`: install what the tests of foreign programmes and pictures need."""

import argparse
import sys

from photochanger.testing.foreign.corpora import CORPORA
from photochanger.testing.foreign.environments import ENVIRONMENTS

THINGS = {thing.name: thing for thing in (*ENVIRONMENTS, *CORPORA)}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make foreign ONLY=", description=__doc__)
    # With ``choices`` argparse refuses an empty list.
    parser.add_argument("names", nargs="*", help=f"default all: {', '.join(THINGS)}")
    return parser


def main() -> int:
    """Whatever cannot be had is said and left out: its tests are skipped, and say so too."""
    parser = make_parser()
    names = parser.parse_args().names or list(THINGS)
    if unknown := [name for name in names if name not in THINGS]:
        parser.error(f"{' '.join(unknown)}: there is only {', '.join(THINGS)}")
    for name in names:
        reason = THINGS[name].install()
        print(f"{name}: {reason or 'is here'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
