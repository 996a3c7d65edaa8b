"""How plain `gunicorn` in this folder serves: ASGI workers that outlive every deadline."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photochanger.settings")

from django.conf import settings
from uvicorn_worker import UvicornWorker

from photochanger import metrics_workers
from photochanger.metrics_workers import child_exit, post_fork, pre_fork  # noqa: F401  gunicorn's

os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics_workers.start()


class Worker(UvicornWorker):
    """Believes no proxy header by itself (photochanger.asgi does), and names no software."""

    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
    }


wsgi_app = "photochanger.asgi:application"
worker_class = Worker
bind = settings.BIND
workers = settings.WEB_CONCURRENCY
# The longest wait a slot may have (60 s) and time to store and answer.
graceful_timeout = 75
timeout = 75
keepalive = 5


def on_starting(server: object) -> None:
    """A wrong installation does not start, and says what to do."""
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    django.setup()
    try:
        call_command("check")
    except SystemCheckError as exc:
        sys.exit(str(exc))
