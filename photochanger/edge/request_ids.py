"""An id for each request: in all of its log lines and in its response."""

import uuid

from structlog.contextvars import bound_contextvars

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send


class RequestIds:
    """Bind ``request_id`` in the log context and send it as ``X-Request-Id``.

    An id in the request is ignored: its sender could put anything into our log.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = uuid.uuid4().hex[:16]
        header = (b"x-request-id", request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        with bound_contextvars(request_id=request_id):
            return await self.app(scope, receive, send_with_id)
