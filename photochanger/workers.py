"""The server processes that gunicorn starts, and when each of them may go."""

import asyncio
import fcntl
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn_worker import UvicornWorker

App = Callable[..., Awaitable[None]]

HEARTBEAT_S = 5.0
# Made before the workers are, and so the same file for all of them; a lock on it ends with its
# process. Only one at a time may retire: while all finish their last photos, nobody would take
# the next one.
_retiring = tempfile.TemporaryFile()  # noqa: SIM115  for as long as the process lives


class Worker(UvicornWorker):  # type: ignore[misc]  # has no types
    """Believes no proxy header by itself (photochanger.asgi does), and names no software."""

    CONFIG_KWARGS = {  # noqa: RUF012  uvicorn's own name
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "limit_max_requests": None,  # it would retire all of them at once: see `_beat`
    }
    served = 0

    async def _serve(self) -> None:
        self.wsgi: App = self._counting(self.wsgi)
        beating = asyncio.create_task(self._beat())
        try:
            await super()._serve()
        finally:
            beating.cancel()

    def _counting(self, app: App) -> App:
        async def counted(scope: dict[str, Any], receive: Any, send: Any) -> None:
            self.served += scope["type"] == "http"
            await app(scope, receive, send)

        return counted

    async def _beat(self) -> None:
        """Tell gunicorn that we live, also while the last photos are finished.

        Uvicorn's own heart stops with the order to end, and gunicorn would kill what is quiet.
        """
        while True:
            self.notify()
            if self.served >= self.max_requests and self._may_retire():
                self.config.limit_max_requests = 0  # uvicorn looks at it ten times a second
            await asyncio.sleep(HEARTBEAT_S)

    def _may_retire(self) -> bool:
        if self.cfg.workers < 2:
            return False
        try:
            fcntl.lockf(_retiring, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
