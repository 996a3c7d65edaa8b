"""The test database of each worker begins as a copy: migrating takes seconds of each one's time.

Django's own ``migrate`` still runs on the copy, finds nothing to do, and would do what is missing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from django.db import connection

from photochanger.testing import live
from photochanger.testing.databases import chosen_database


@contextmanager
def begin_migrated() -> Iterator[None]:
    """While the block runs: what Django creates as its test database has all migrations."""
    kind = chosen_database()
    address = urlsplit(live.migrated_database(kind))
    if kind == "postgresql":
        connection.settings_dict["TEST"]["TEMPLATE"] = address.path[1:]
        yield
        return
    # A database in memory is there as long as somebody has it open.
    name = connection.creation._get_test_db_name()
    with (
        closing(sqlite3.connect(address.path[1:])) as migrated,
        closing(sqlite3.connect(name, uri=True)) as in_memory,
    ):
        migrated.backup(in_memory)
        yield
