"""Settings of `gunicorn` in this folder: ASGI workers whose time-outs exceed every deadline."""

import io
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photochanger.settings")

from django.conf import settings

from photochanger.server import worker_metrics
from photochanger.server.logger import ServerLog
from photochanger.server.worker import Worker
from photochanger.server.worker_metrics import child_exit, post_fork, pre_fork  # noqa: F401  gunicorn's

# Database, pictures, uploads: not for other users of the machine.
os.umask(os.umask(0o027) | 0o027)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = worker_metrics.start()

wsgi_app = "photochanger.asgi:application"
worker_class = Worker
logger_class = ServerLog
bind = settings.BIND
workers = settings.WEB_CONCURRENCY
# The longest wait a slot may have, plus time to store and send the picture.
graceful_timeout = settings.LEAVE_SECONDS + settings.MAX_SYNC_RESPONSE_SECONDS + 15
timeout = graceful_timeout  # a worker sends heartbeats to its end; one that hangs does not
keepalive = 5
max_requests = settings.WORKER_MAX_REQUESTS  # one worker at a time, and only when there are others
max_requests_jitter = max_requests // 2
control_socket_disable = True  # signals are enough; it would be a file in a user's home
if os.access("/dev/shm", os.W_OK):  # noqa: S108  gunicorn's own files, in a folder of random name
    worker_tmp_dir = "/dev/shm"  # noqa: S108  a heartbeat must not wait for a busy disk


def on_starting(server: object) -> None:
    """Run the system checks: a wrong installation does not start. Static files are there after."""
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    django.setup()
    try:
        call_command("check", stdout=io.StringIO())  # without "no issues"
    except SystemCheckError as exc:
        sys.exit(str(exc))
    from photochanger.server.static_files import collect_missing_files

    collect_missing_files()
