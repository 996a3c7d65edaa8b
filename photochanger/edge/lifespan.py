from collections.abc import Awaitable, Callable

from photochanger.edge.asgi_types import App, Receive, Scope, Send


class Lifespan:
    """ASGI lifespan: run ``startup`` before the first request and ``shutdown`` after the last."""

    def __init__(
        self,
        app: App,
        *,
        startup: Callable[[], Awaitable[None]],
        shutdown: Callable[[], Awaitable[None]],
    ) -> None:
        self.app, self._startup, self._shutdown = app, startup, shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await self.app(scope, receive, send)
        await receive()
        await self._startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._shutdown()
        await send({"type": "lifespan.shutdown.complete"})
        return None
