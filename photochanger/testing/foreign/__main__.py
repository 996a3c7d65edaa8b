"""`make foreign`: install what the tests of foreign programmes and pictures need."""

import sys

from photochanger.testing.foreign.corpora import CORPORA
from photochanger.testing.foreign.environments import ENVIRONMENTS


def main() -> int:
    """Whatever cannot be had is said and left out: its tests are skipped, and say so too."""
    things = {thing.name: thing for thing in (*ENVIRONMENTS, *CORPORA)}
    for name in sys.argv[1:] or things:
        reason = things[name].install()
        print(f"{name}: {reason or 'is here'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
