from collections.abc import Awaitable, Callable

from photochanger.edge.asgi_types import Receive, Scope, Send


class Lifespan:
    """ASGI lifespan: run ``startup`` before the first request and ``shutdown`` after the last."""

    def __init__(
        self,
        *,
        startup: Callable[[], Awaitable[None]],
        shutdown: Callable[[], Awaitable[None]],
    ) -> None:
        self._startup, self._shutdown = startup, shutdown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await self._startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._shutdown()
        await send({"type": "lifespan.shutdown.complete"})
