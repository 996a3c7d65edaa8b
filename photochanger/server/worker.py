"""gunicorn's worker: shutdown without lost photos, heartbeat, and replacement one at a time."""

import asyncio
import fcntl
import select
import socket
import sys
import tempfile

import structlog
from django.conf import settings
from gunicorn.arbiter import Arbiter
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

from photochanger.leaving import is_leaving
from photochanger.server.protocol import EdgeProtocol

log = structlog.get_logger()

HEARTBEAT_S, LISTENING_S = 1.0, 1.0
# Made before the workers are, and so the same file for all of them; a lock on it ends with its
# process. Only one at a time may retire: while all finish their last photos, none would accept
# the next one.
_retiring = tempfile.TemporaryFile()  # noqa: SIM115  for as long as the process lives


class PatientServer(Server):
    """Stop in an order that loses no photo: ask for no more, take what came, finish it."""

    is_retired = False  # to make room for a fresh process; the others take all that comes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self.is_retired:
            is_leaving.set()
            await asyncio.sleep(settings.LEAVE_SECONDS)
        await self._take_waiting(sockets or [])
        for listener in self.servers:
            listener.close()
        # The shutdown closes connections without a request; on one accepted just now the photo is
        # still on its way.
        await asyncio.sleep(LISTENING_S)
        await super().shutdown(sockets)

    async def _take_waiting(self, sockets: list[socket.socket]) -> None:
        """Accept what the kernel has accepted in our name: closing would reset it."""
        waiting = select.poll()
        for listener in sockets:
            waiting.register(listener, select.POLLIN)
        give_up = asyncio.get_running_loop().time() + LISTENING_S  # they may come without end
        is_late = False
        while waiting.poll(0) and not is_late:  # noqa: ASYNC110  uvloop accepts, and tells nobody
            await asyncio.sleep(0)
            is_late = asyncio.get_running_loop().time() > give_up


class Worker(UvicornWorker):  # type: ignore[misc]  # its base has no types
    """Leaves proxy headers to photochanger.asgi, and sends no Server header."""

    CONFIG_KWARGS = {  # noqa: RUF012  uvicorn's own name
        "loop": "uvloop",
        "http": EdgeProtocol,
        "ws": "none",
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "limit_max_requests": None,  # it would stop all workers at once: see `_send_heartbeats`
    }

    async def _serve(self) -> None:
        """As the base class, with a heartbeat until the last photo is finished."""
        self.config.app = self.wsgi
        server = PatientServer(self.config)
        self._install_sigquit_handler()
        heartbeat = asyncio.create_task(self._send_heartbeats(server))
        await server.serve(sockets=self.sockets)
        heartbeat.cancel()
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _send_heartbeats(self, server: PatientServer) -> None:
        """Notify gunicorn, and stop after ``max_requests``.

        Uvicorn's own heartbeat stops with the shutdown signal, and gunicorn kills a silent worker.
        """
        while True:
            self.notify()
            await asyncio.sleep(HEARTBEAT_S)
            served = server.server_state.total_requests
            if served >= self.max_requests and not server.should_exit and self._may_retire():
                log.info("server.worker.retired", served=served)
                server.is_retired = server.should_exit = True

    def _may_retire(self) -> bool:
        if self.cfg.workers < 2:
            return False
        try:
            fcntl.lockf(_retiring, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
