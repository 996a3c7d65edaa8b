"""Percentiles by the database: between the two nearest values, as ``percentile_cont`` does."""

import sqlite3
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, FloatField


class Percentile(Aggregate):
    """``Percentile("duration_ms", 0.95)``; nulls do not count, and nothing but nulls gives null."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: Any, share: float, **extra: Any) -> None:
        super().__init__(expression, share=float(share), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        ours = self.copy()  # a template among the arguments would meet the filter's own
        ours.function, ours.template = SQLITE_NAME, "%(function)s(%(expressions)s, %(share)s)"
        return ours.as_sql(compiler, connection, **context)


SQLITE_NAME = "PHOTOCHANGER_PERCENTILE"


class _SqlitePercentile:
    """SQLite has none of its own. It keeps a window's values in memory: a studio's few thousand."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share = 0.0

    def step(self, value: float | None, share: float) -> None:
        self.share = share
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        if not self.values:
            return None
        ordered = sorted(self.values)
        below, part = divmod(self.share * (len(ordered) - 1), 1)
        low, high = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
        return low + (high - low) * part


def register_sqlite_percentile(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For Django's ``connection_created``: every SQLite connection learns the aggregate."""
    lite = connection.connection
    if isinstance(lite, sqlite3.Connection):
        lite.create_aggregate(SQLITE_NAME, 2, _SqlitePercentile)  # type: ignore[arg-type]
