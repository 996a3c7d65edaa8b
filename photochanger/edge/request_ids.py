"""What every response says, whoever makes it: the request's id, what browsers may do with it.

And who asks, as everything behind it knows a client.
"""

import uuid
from collections.abc import Iterable

from structlog.contextvars import bound_contextvars

from photochanger.edge.asgi_types import App, Message, Receive, Scope, Send
from photochanger.edge.paths import API_PATHS, GUEST_PATHS
from photochanger.host_names import unmap_address

Header = tuple[bytes, bytes]
# Pages say more themselves (photochanger/web/middleware.py); what is there already stays.
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}


class RequestIds:
    """Bind ``request_id`` in the log context and send it as ``X-Request-Id``, with ``HEADERS``.

    An id in the request is ignored: its sender could put anything into our log. ``hsts_s``: so long
    browsers that came by HTTPS come back by it; 0: they are not told.
    """

    def __init__(self, app: App, *, hsts_s: int = 0) -> None:
        self.app = app
        self._hsts = {b"strict-transport-security": b"max-age=%d" % hsts_s} if hsts_s else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        host, *port = scope.get("client") or ("",)
        if host.startswith("::ffff:"):  # of IPv4, through a socket of IPv6
            scope["client"] = (unmap_address(host), *port)
        request_id = uuid.uuid4().hex[:16]
        header = (b"x-request-id", request_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*self._complete(message.get("headers", ()), scope), header]
            await send(message)

        with bound_contextvars(request_id=request_id):
            return await self.app(scope, receive, send_with_id)

    def _complete(self, headers: Iterable[Header], scope: Scope) -> list[Header]:
        """With what no response may lack. The scheme is known by now, from a front server too."""
        found = list(headers)
        there = {name.lower() for name, _ in found}
        more = HEADERS | (self._hsts if scope.get("scheme") == "https" else {})
        path = scope.get("path", "")
        if path.startswith(GUEST_PATHS):  # a site of the customer's may show the pictures
            more[b"cross-origin-resource-policy"] = b"cross-origin"
        elif path.startswith(API_PATHS) and b"etag" not in there:
            more[b"cache-control"] = b"no-store"
        return [*found, *((name, value) for name, value in more.items() if name not in there)]
