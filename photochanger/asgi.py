"""The server's entry point: the edge around Django."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photochanger.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import reverse
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from photochanger.middleware import BodyGuard, Lifespan, RequestLanes
from photochanger.statics import StaticFiles
from providers import http

django_app = get_asgi_application()
django_app.chunk_size = 256 * 1024  # pieces of an answer; Django's 64 KB cost 4x the sends


def warm_up() -> None:
    """Import now what the first guest would otherwise wait for (about 200 ms), then let the
    garbage collector forget it: what lives for ever need not be looked at again."""
    reverse("home")
    http.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


application = Lifespan(
    ProxyHeadersMiddleware(  # type: ignore[arg-type]  # same protocol, other type names
        BodyGuard(  # type: ignore[arg-type]
            StaticFiles(
                RequestLanes(django_app),  # type: ignore[arg-type]
                root=settings.STATIC_ROOT,
                prefix=settings.STATIC_URL,
            )
        ),
        trusted_hosts=settings.TRUSTED_PROXIES,
    ),
    startup=warm_up,
    shutdown=http.close,
)
