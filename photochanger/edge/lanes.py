"""Request lanes: a few threads with database connections, shared by all requests of a process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings

from photochanger.edge.asgi_types import App, Receive, Scope, Send
from photochanger.edge.paths import GUEST_PATHS, MONITORING_PATHS, PROVIDER_MEDIA_PATH, takes_photo


class Lane:
    """One thread, and so one database connection, shared by requests in turn."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="lane")
        self.requests = 0


class RequestLanes:
    """Run the synchronous part of requests on a few threads, each with one persistent connection.

    Django's own way is a thread, and so a database connection, for every request in flight: 500
    waiting photos held 500 connections; on lanes they hold as many as there are lanes. The photo's
    path has its own lanes, so that a slow console page never delays a photo; guests have theirs, so
    that a storm of log-ins never delays a download.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._photo = [Lane() for _ in range(settings.REQUEST_LANES)]
        self._guests = [Lane() for _ in range(settings.GUEST_LANES)]
        self._console = [Lane() for _ in range(settings.CONSOLE_LANES)]
        self._monitoring = [Lane()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        # The least busy one, and of equals the first: its connection is the warmest.
        lane = min(self._lanes_for(scope["path"]), key=lambda lane: lane.requests)
        lane.requests += 1
        try:
            async with ThreadSensitiveContext(executor=lane.executor):
                return await self.app(scope, receive, send)
        finally:
            lane.requests -= 1

    def _lanes_for(self, path: str) -> list[Lane]:
        if takes_photo(path) or path.startswith(PROVIDER_MEDIA_PATH):
            return self._photo
        if path.startswith(GUEST_PATHS):
            return self._guests
        return self._monitoring if path in MONITORING_PATHS else self._console

    async def warm_up(self, step: Callable[[], None]) -> None:
        """Run a step once on every lane of photos: of the others nobody waits for the first."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(lane.executor, step) for lane in self._photo))
