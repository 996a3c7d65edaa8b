"""Request lanes: a few threads with database connections, shared by all requests of a process."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.signals import request_started
from django.db import OperationalError, close_old_connections, reset_queries

from photochanger.db.limits import GUEST_STEP_S, PHOTO_STEP_S
from photochanger.db.threads import make_database_threads
from photochanger.edge.asgi_types import App, Receive, Scope, Send
from photochanger.edge.paths import (
    MONITORING_PATHS,
    PROVIDER_MEDIA_PATH,
    is_machine_path,
    takes_photo,
)
from photochanger.request_scope import STRANGER_KEY

# An operator may have asked for minutes of work: cleaning up, an archive. It goes on, while whoever
# else needs the lane gets a fresh thread.
CONSOLE_LIMIT_S, CONSOLE_PATIENCE_S = 900.0, 3.0


class Lane:
    """One thread, and so one database connection, shared by requests in turn."""

    def __init__(self, name: str, *, limit_s: float, patience_s: float) -> None:
        self.executor = make_database_threads(name, limit_s=limit_s, patience_s=patience_s)
        self.requests = 0

    @property
    def load(self) -> tuple[bool, int]:
        return self.executor.is_stuck, self.requests


def make_lanes(
    name: str, count: int, limit_s: float, *, patience_s: float | None = None
) -> list[Lane]:
    """``limit_s`` for each step of a request, not for the whole of it."""
    patience_s = patience_s or limit_s
    return [Lane(name, limit_s=limit_s, patience_s=patience_s) for _ in range(count)]


class RequestLanes:
    """Run the synchronous part of requests on a few threads, each with one persistent connection.

    Django's own way is a thread, and so a database connection, for every request in flight: 500
    waiting photos held 500 connections; on lanes they hold as many as there are lanes. The photo's
    path has its own lanes, so that a slow console page never delays a photo; guests have theirs,
    which other machines share; log-ins of strangers have one, since each costs a password hash. A
    lane whose thread hangs gets a fresh one.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._photo = make_lanes("photo", settings.REQUEST_LANES, PHOTO_STEP_S)
        self._guests = make_lanes("guest", settings.GUEST_LANES, GUEST_STEP_S)
        self._console = make_lanes(
            "console", settings.CONSOLE_LANES, CONSOLE_LIMIT_S, patience_s=CONSOLE_PATIENCE_S
        )
        # A view that is one step may take as long as its own queries do, which say what is wrong.
        self._logins = make_lanes("login", 1, CONSOLE_LIMIT_S, patience_s=CONSOLE_PATIENCE_S)
        self._monitoring = make_lanes("monitoring", 1, GUEST_STEP_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        # The least busy one, and of equals the first: its connection is the warmest.
        lane = min(self._lanes_for(scope), key=lambda lane: lane.load)
        lane.requests += 1
        try:
            lane.executor.submit(
                _check_connection
            )  # before the request's own steps, which come behind it
            async with ThreadSensitiveContext(executor=lane.executor):
                return await self.app(scope, receive, send)
        finally:
            lane.requests -= 1

    def _lanes_for(self, scope: Scope) -> list[Lane]:
        path = scope["path"]
        if takes_photo(path) or path.startswith(PROVIDER_MEDIA_PATH):
            return self._photo
        if path in MONITORING_PATHS:
            return self._monitoring
        if is_machine_path(path):
            return self._guests
        return self._logins if scope.get(STRANGER_KEY) else self._console

    async def warm_up(self, step: Callable[[], None]) -> None:
        """Run a step once on every lane of photos: of the others nobody waits for the first."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(lane.executor, step) for lane in self._photo))


def let_lanes_check_connections() -> None:
    """Called once by a server. Before each request Django looks after its lane's connection, and
    the request would wait for that; a lane does it on its way."""
    for receiver in (reset_queries, close_old_connections):
        request_started.disconnect(receiver)


def _check_connection() -> None:
    """What fails here is left to the view's own steps, which can answer an error."""
    reset_queries()
    with suppress(OperationalError):
        close_old_connections()
