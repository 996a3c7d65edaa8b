"""`make figures`: one table; ``ARGS="--json"`` for machines, ``--no-photo`` in a second."""

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from photochanger.testing.figures.measure import House, measure
from photochanger.testing.figures.reading_path import files_to_read, find_broken_arrows
from photochanger.testing.figures.trace import Trace, trace_photo

# What runs before the applications; the figures of the apps alone leave it out.
BEFORE_THE_APPS = ("photochanger/edge", "photochanger/web", "photochanger/asgi.py")


def main() -> int:
    given = parse_arguments()
    house = House.read()
    figures = measure(house)
    if given.names:
        print_names(house)
        return 0
    trace = None if given.no_photo else trace_photo()
    if trace:
        figures |= measure_trace(trace)
    if given.trace and trace:
        print(trace.text())
    elif given.json:
        print(json.dumps(figures, indent=2))
    else:
        print_table(figures)
        print("To read:", " -> ".join(files_to_read()))
    for broken in find_broken_arrows():
        print("Reading path:", broken, file=sys.stderr)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make figures", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--names", action="store_true", help="list functions with doubtful names")
    parser.add_argument("--trace", action="store_true", help="list what one photo runs, by file")
    parser.add_argument("--no-photo", action="store_true", help="send no photo: files only")
    return parser.parse_args()


def measure_trace(trace: Trace) -> dict[str, int | float]:
    apps = trace.without(*BEFORE_THE_APPS)
    return {
        "functions that one photo crosses, to its row and answer": trace.function_count,
        "files that one photo crosses, to its row and answer": len(trace.functions),
        "functions, without edge and middleware": apps.function_count,
        "files, without edge and middleware": len(apps.functions),
        "functions that run only after the answer": sum(map(len, trace.later.values())),
    }


def print_table(figures: dict[str, int | float]) -> None:
    table = Table("figure", "value")
    table.columns[1].justify = "right"
    for name, value in figures.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)


def print_names(house: House) -> None:
    names = house.names
    for title, found in (("participles", names.participles), ("bare nouns", names.bare_nouns)):
        print(f"{title}: {len(found)} of {names.count}")
        for function in sorted(found, key=lambda function: function.place):
            print(f"    {function.place}")


if __name__ == "__main__":
    sys.exit(main())
