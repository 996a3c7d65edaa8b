"""What processes of sites spend half of their start on, imported once for all their forks.

None of it reads the environment when it is imported, nor starts a thread: not ninja, axes and
simplejwt (Django's settings), prometheus_client (its folder), numpy (its threads). Nothing of the
project either, but the simulator, which knows neither Django nor settings.
"""

import gc
import sys
from importlib import import_module

PACKAGES = (
    *("bcrypt", "cryptography.fernet", "cryptography.x509", "django.contrib.admin"),
    *("django.contrib.humanize.templatetags.humanize", "django.contrib.sessions.backends.db"),
    *("django.contrib.staticfiles.storage", "django.core.handlers.asgi"),
    *("django.core.management", "django.db.backends.postgresql.base"),
    *("django.db.backends.sqlite3.base", "django.db.migrations.executor", "django_htmx.middleware"),
    *("httpx", "jinja2", "jwt", "multipart", "PIL.ImageDraw", "PIL.ImageFilter", "PIL.ImageOps"),
    *("PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.TiffImagePlugin"),
    *("PIL.WebPImagePlugin", "pydantic", "pygal", "rich.traceback", "segno", "structlog"),
    *("uvicorn.lifespan.on", "uvicorn.main", "uvicorn.protocols.http.httptools_impl", "uvloop"),
    *("yaml", "zipstream", "providers.simulator.command_line"),
)

SEARCH_PATH = sys.path[1:]  # without the folder of whoever was started

for name in PACKAGES:
    import_module(name)
gc.collect()
gc.freeze()  # else each fork's first collection copies all pages
