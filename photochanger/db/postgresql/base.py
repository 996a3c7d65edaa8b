"""PostgreSQL as django-prometheus has it, with connections that wait no longer than they may.

Django finds this file by the name of its package, which is the ENGINE of DATABASES.
"""

from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django_prometheus.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from photochanger.db.limits import CHECK_S, get_wait_s, is_process_limited, make_session_options
from photochanger.threads.time_limit import shorten_step

WAKE_EVERY_S = 0.1


class LimitedConnection(psycopg.Connection[Any]):
    """Every answer of the server is waited for here: statements, commits, what a fetch needs."""

    def wait(self, gen: Any, interval: float = WAKE_EVERY_S, timeout: float | None = None) -> Any:
        """Raises OperationalError when the time is up, and the connection is closed then: nobody
        knows what becomes of what it was asked."""
        limit_s = get_wait_s() if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # no answer
                self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # has no types
    Database = SimpleNamespace(
        **{name: getattr(psycopg, name) for name in psycopg.__all__}
        | {"connect": LimitedConnection.connect}
    )

    def get_connection_params(self) -> dict[str, Any]:
        # A pooler in transaction mode would leave such a cursor with another client.
        self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = settings.DATABASE_BEHIND_POOLER
        params: dict[str, Any] = super().get_connection_params()
        # What DATABASE_URL says stands last, and wins.
        if options := f"{make_session_options()} {params.get('options', '')}".strip():
            params["options"] = options
        return params

    def is_usable(self) -> bool:
        """Asked before a request's first query. Without this limit an operator's request waited
        here for 16 s, and then for a new connection."""
        if not is_process_limited():  # a command, which may take its time
            return bool(super().is_usable())
        with shorten_step(CHECK_S):
            return bool(super().is_usable())
