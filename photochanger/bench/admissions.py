"""Admissions a second that one PostgreSQL takes from several processes, also through PgBouncer.

What a photo costs the database stands against the fifteen slots of one provider, whose row each
admission locks: the ceiling of any number of machines.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements, ms, percentile
from photochanger.testing import live, server_process
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.waiting import wait_until

PROCESSES = (1, 4, 8)
SECONDS = 5.0
BUDGETS, ROUNDS = (0, 1, 4), 3
ADD_BUDGET = """
    insert into budget (is_daily, counts_from, hard_micros, soft_percent, at_limit, is_active,
        updated_at, updated_by)
    values ({is_daily}, current_date - 30, 900000000000, 80, 'refuse', true, now(), '')
"""
MORE_S = 0.0005  # what a budget may add to an admission's median
POOL = 20  # connections of PgBouncer to the database


def admissions(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    if site.database_url.startswith("sqlite"):
        console.print("admissions: only on PostgreSQL.")
        return
    recipe = {"settings": {"prompt": "As an oil painting"}}
    site.configure_all({f"slot-{number:03}": recipe for number in range(1, 16)})
    table = Table(title=f"Admissions of one provider's photos, {SECONDS:g} s each")
    for column in ("way", "processes", "a second", "p50 ms", "p95 ms"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for way, database_url in _ways(site, console):
        for count in PROCESSES:
            taken = _admit(site, database_url, count)
            table.add_row(
                *(way, str(count), f"{len(taken) / SECONDS:.0f}"),
                *(ms(percentile(taken, 0.5)), ms(percentile(taken, 0.95))),
            )
        left = site.rows("select count(*) from job_history where status = 'processing'")[0][0]
        requirements.require(left == 0, f"admissions, {way}: {left} jobs left open")
    console.print(table)
    _compare_budgets(site, requirements, console)


def _compare_budgets(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    """One process, with and without budgets in turn, over a month's spending of all slots."""
    site.execute(
        "insert into spending (day, slot_id, event_number, photos, pictures, tests, known_micros,"
        " probable_micros, unpriced_calls) select current_date - days, slot.id, 0, 400, 390, 2,"
        " 14000000, 70000, 0 from slot cross join generate_series(0, 30) as days"
    )
    taken: dict[int, list[float]] = {count: [] for count in BUDGETS}
    for _round in range(ROUNDS):
        for count in BUDGETS:
            site.execute("delete from budget")
            for number in range(count):
                site.execute(ADD_BUDGET.format(is_daily=number % 2 == 0))
            taken[count] += _admit(site, site.database_url, 1)
    site.execute("delete from budget")
    table = Table(title=f"Admissions under budgets, one process, {ROUNDS} turns of {SECONDS:g} s")
    for column in ("budgets", "a second", "p50 ms", "p95 ms"):
        table.add_column(column, justify="right")
    for count, each in taken.items():
        rate = f"{len(each) / SECONDS / ROUNDS:.0f}"
        table.add_row(str(count), rate, ms(percentile(each, 0.5)), ms(percentile(each, 0.95)))
    console.print(table)
    more_s = percentile(taken[1], 0.5) - percentile(taken[0], 0.5)
    requirements.require(more_s <= MORE_S, f"a budget adds {ms(more_s)} ms to an admission (p50)")


def _ways(site: live.LiveSite, console: Console) -> Iterator[tuple[str, str]]:
    yield "direct", site.database_url
    program = shutil.which("pgbouncer")
    if program is None:
        console.print("No pgbouncer here: only the direct way (apt-get install pgbouncer).")
        return
    with _pgbouncer(site, program) as database_url:
        yield "PgBouncer, by transaction", database_url


def _admit(site: live.LiveSite, database_url: str, count: int) -> list[float]:
    code = f"from photochanger.bench.admitter import work; work({SECONDS})"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    workers = [
        subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=site.env | {"DATABASE_URL": database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for worker in workers:  # all of them are there before the first begins
        assert worker.stdout and worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return [taken for worker in workers for taken in json.loads(worker.communicate()[0])]


@contextmanager
def _pgbouncer(site: live.LiveSite, program: str) -> Iterator[str]:
    """The address of a PgBouncer before the site's database, which it pools by transaction."""
    folder = site.root / "pgbouncer"
    folder.mkdir()
    port = server_process.free_port()
    address = urlsplit(site.database_url)
    host = parse_qs(address.query).get("host", [address.hostname or ""])[0]
    target = f"host={host} port={address.port or 5432} dbname={address.path[1:]}"
    login = f"user={address.username}" + (f" password={address.password}" * bool(address.password))
    users = folder / "users.txt"
    users.write_text(f'"{address.username}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nbench = {target} {login}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\nauth_file = {users}\npool_mode = transaction\n"
        f"default_pool_size = {POOL}\nmax_client_conn = 500\n"
        "ignore_startup_parameters = extra_float_digits,options\n"
    )
    command = [program, str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it will not run as root, and a socket is for the server's own user
        user = Path(host).owner() if host.startswith("/") else "nobody"
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
        command[1:1] = ["-u", user]
        _let_in(folder)
    log = site.logs / "pgbouncer.log"
    with log.open("wb") as output, subprocess.Popen(command, stderr=output, stdout=output) as pool:
        try:
            pooled = f"postgres://{address.username}@127.0.0.1:{port}/bench"
            wait_until(lambda: _is_there(pooled), within_s=10, every_s=0.2)
            yield pooled
        finally:
            pool.terminate()


def _is_there(database_url: str) -> bool:
    try:
        psycopg.connect(database_url, prepare_threshold=None, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _let_in(folder: Path) -> None:
    """Another user may pass through the folders above, which are the site's alone."""
    for path in folder.parents:
        if path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o001)
