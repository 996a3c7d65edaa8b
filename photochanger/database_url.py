"""The database: its address, with a password as it is written, and its connections."""

import re
from typing import Any
from urllib.parse import quote, unquote

import environ

from photochanger.host_names import normalize_host
from photochanger.value_checks import check_path

SCHEMES = {"postgres", "postgresql", "psql", "pgsql"}
FORM = "must be an address like postgres://user:password@host:5432/name or sqlite:///file"
# Up to the last @: a password may hold @, #, / and ? as they are.
SERVER = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<user>[^:@/]*)(?::(?P<password>.*))?@)?"
    r"(?P<host>\[[0-9a-fA-F:]+\]|%2F[^:/?#@]*|[^:/?#@\[\]]*)(?::(?P<port>\d{1,5}))?"
    r"/(?P<name>[^/?#@]+)(?P<options>\?[^#]*)?"
)


def build_database(url: str) -> dict[str, Any]:
    """Django's settings of a database. Raises ValueError, which repeats nothing of the address."""
    is_file = url.startswith("sqlite://")
    try:
        address = url if is_file else _escape_server(url)
        database: dict[str, Any] = environ.Env.db_url_config(address)
    except Exception as exc:  # whatever it stumbles over, the address is not repeated
        raise ValueError(FORM) from exc
    if is_file and database["NAME"] != ":memory:":
        database["NAME"] = check_path(database["NAME"])
    return database


def _escape_server(url: str) -> str:
    match = SERVER.fullmatch(url)
    if match is None or match["scheme"] not in SCHEMES or not 0 < int(match["port"] or 1) < 65536:
        raise ValueError(FORM)
    user = f"{_escape(match['user'])}:{_escape(match['password'])}@" if match["user"] else ""
    port = f":{match['port']}" if match["port"] else ""
    host = match["host"] if match["host"].startswith("%") else normalize_host(match["host"])
    where = f"{host}{port}/{match['name']}{match['options'] or ''}"
    return f"{match['scheme']}://{user}{where}"


def _escape(part: str | None) -> str:
    """As written, or percent-encoded already: ``%40`` is an @, and a lone % is itself."""
    return quote(unquote(part or ""), safe="")


def add_options(database: dict[str, Any]) -> None:
    """How our connections behave; what DATABASE_URL says of it wins on PostgreSQL."""
    # Each lane has one persistent connection, checked before a request in case of a restart.
    database |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "timeout": 8,  # seconds for a lock: less than the shortest time a booth waits
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        }
    else:
        # It counts and times statements. Its SQLite sibling would make a class for each of them.
        database["ENGINE"] = "photochanger.db.postgresql"
        # DATABASE_URL may override each. A database host that vanished silently must not hold a
        # lane for the quarter of an hour that the kernel would retry.
        database["OPTIONS"] = {
            "connect_timeout": 3,  # seconds
            "keepalives_idle": 10,  # seconds of silence before the first probe
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 5000,  # milliseconds that what we sent may stay unanswered
        } | database.get("OPTIONS", {})
