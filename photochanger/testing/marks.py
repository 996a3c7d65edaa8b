"""What a test needs, and on which databases it runs: pytest's marks, on classes or whole modules.

A test runs on SQLite. Where a database decides the outcome (locks, constraints, queries with
functions of their own, times), it is marked ``both_databases`` and runs on PostgreSQL too.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from photochanger.testing.databases import chosen_database

_Test = TypeVar("_Test", bound=Callable[..., Any])

both_databases = pytest.mark.both_databases
browser = pytest.mark.browser
live_server = pytest.mark.live_server
foreign = pytest.mark.foreign


def only_postgresql(because: str) -> Callable[[_Test], _Test]:
    skip = pytest.mark.skipif(chosen_database() != "postgresql", reason=because)

    def marked(test: _Test) -> _Test:
        result: _Test = skip(pytest.mark.only_postgresql(test))
        return result

    return marked
