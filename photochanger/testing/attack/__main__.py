"""Each attack for some seconds, beside good booths. Ends with 1 when one succeeds."""

import argparse
import json
import sys
from contextlib import suppress

from rich.console import Console

from photochanger.testing import live
from photochanger.testing.attack.scene import Scene


def main() -> int:
    parser = argparse.ArgumentParser(prog="make attack ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="of each attack (15)")
    parser.add_argument("--only", help="attacks with one of these in their name, by commas")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not SQLite")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    with live.site("postgresql" if given.postgres else "sqlite") as site, site.simulator():
        site.share_static_files()
        recipe = {"settings": {"prompt": "As an oil painting"}}
        limits = {"max_jobs_per_slot": 40, "max_jobs_per_provider": 80}
        site.configure_all(dict.fromkeys(("slot-001", "slot-002"), recipe), limits=limits)
        site.share_static_files()  # galleries are asked for, too
        with site.server() as server, Scene(server, site.password, given.seconds) as scene:
            succeeded = scene.attack_all(given.only, console)
            succeeded += find_tracebacks(server.log_text())
    for words in succeeded:
        console.print(f"  {words}", style="red", highlight=False)
    return 1 if succeeded else 0


def find_tracebacks(log: str) -> list[str]:
    """Each kind once, by its last line: what nobody has thought of."""
    kinds = set()
    for line in log.splitlines():
        with suppress(ValueError):
            told = json.loads(line)
            if trace := str(told.get("exception", "")).strip():
                kinds.add(f"{told['event'].splitlines()[0]}: {trace.splitlines()[-1]}")
    return [f"a traceback in the server's log: {kind[:200]}" for kind in sorted(kinds)]


if __name__ == "__main__":
    sys.exit(main())
