"""The server processes that gunicorn starts, and when each of them may go."""

import asyncio
import fcntl
import socket
import sys
import tempfile

import structlog
from gunicorn.arbiter import Arbiter
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

log = structlog.get_logger()

HEARTBEAT_S, LISTENING_S = 1.0, 0.5
# Made before the workers are, and so the same file for all of them; a lock on it ends with its
# process. Only one at a time may retire: while all finish their last photos, nobody would take
# the next one.
_retiring = tempfile.TemporaryFile()  # noqa: SIM115  for as long as the process lives


class PatientServer(Server):
    """Takes no new connections any more, and only then ends.

    The end closes connections on which nothing was asked yet: of one that was taken a moment ago
    the photo is on its way.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        await asyncio.sleep(LISTENING_S)
        await super().shutdown(sockets)


class Worker(UvicornWorker):  # type: ignore[misc]  # its base has no types
    """Believes no proxy header by itself (photochanger.asgi does), and names no software."""

    CONFIG_KWARGS = {  # noqa: RUF012  uvicorn's own name
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "limit_max_requests": None,  # it would let all of them go at once: see `_beat`
    }

    async def _serve(self) -> None:
        """As the class above does, with a heart that beats until the last photo is finished."""
        self.config.app = self.wsgi
        server = PatientServer(self.config)
        self._install_sigquit_handler()
        beating = asyncio.create_task(self._beat(server))
        await server.serve(sockets=self.sockets)
        beating.cancel()
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _beat(self, server: Server) -> None:
        """Tell gunicorn that we live, and end when we have served for long enough.

        Uvicorn's own heart stops with the order to end, and gunicorn would kill what is quiet.
        """
        while True:
            self.notify()
            await asyncio.sleep(HEARTBEAT_S)
            served = server.server_state.total_requests
            if served >= self.max_requests and not server.should_exit and self._may_retire():
                log.info("server.worker.retired", served=served)
                server.should_exit = True

    def _may_retire(self) -> bool:
        if self.cfg.workers < 2:
            return False
        try:
            fcntl.lockf(_retiring, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
