"""Whose X-Forwarded-* headers are believed: uvicorn's rule, for addresses in every spelling."""

from collections.abc import Sequence

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware, _TrustedHosts

from photochanger.edge.asgi_types import App
from photochanger.host_names import unmap_address


class TrustedProxies(_TrustedHosts):
    """A socket of IPv6 names its IPv4 peers ``::ffff:10.0.0.7``, and so may a front server."""

    def __init__(self, proxies: Sequence[str]) -> None:
        super().__init__("*" if "*" in proxies else list(proxies))

    def _compute_trust(self, host: str) -> bool:
        return super()._compute_trust(unmap_address(host))

    def get_trusted_client_address(self, x_forwarded_for: str) -> tuple[str, int]:
        host, port = super().get_trusted_client_address(x_forwarded_for)
        return unmap_address(host), port


def believe_proxies(app: App, proxies: Sequence[str]) -> App:
    """``app`` behind uvicorn's middleware; ``*`` among the proxies is everybody."""
    middleware = ProxyHeadersMiddleware(app)  # type: ignore[arg-type]
    middleware.trusted_hosts = TrustedProxies(proxies)
    return middleware  # type: ignore[return-value]
