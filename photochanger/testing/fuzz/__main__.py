"""``make fuzz``: the long run. Ends with 1 when anything was found."""

import argparse
import secrets
import sys

from photochanger.testing import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=", description=__doc__)
    parser.add_argument("--cases", type=int, default=200, help="per operation (200)")
    parser.add_argument("--seed", type=int, help="repeats a run; without it a new one each time")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not SQLite")
    parser.add_argument("--log", action="store_true", help="the server's errors too")
    options, rest = parser.parse_known_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    database = "postgresql" if options.postgres else "sqlite"
    print(f"{options.cases} cases per operation on {database}, seed {seed} ...", flush=True)
    checked = fuzz.check(cases=options.cases, seed=seed, database=database, arguments=tuple(rest))
    print(checked.report)
    if options.log:
        print(*(x for x in checked.server_log.splitlines() if '"error"' in x), sep="\n")
    if not checked.is_well:
        same = f"--cases {options.cases} --seed {seed}{' --postgres' * options.postgres}"
        print(f'The same again: make fuzz ARGS="{same}"')
        print("One operation of it: add --include-operation-id NAME to these arguments.")
    return 0 if checked.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
