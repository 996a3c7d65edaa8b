"""Tell backup.sh and restore.sh where the database and the pictures are, as shell variables.

Only Django's settings know: .env, NAME_FILE, defaults and escaped passwords all end there. As
variables a password is in no list of processes, as it would be on a command line.
"""

import os
import shlex
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photochanger.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from django.conf import settings

LIBPQ = {
    "HOST": "PGHOST",
    "PORT": "PGPORT",
    "USER": "PGUSER",
    "PASSWORD": "PGPASSWORD",
    "NAME": "PGDATABASE",
}
OPTIONS = {"host": "PGHOST", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


def places() -> dict[str, str]:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        sys.exit("The database is SQLite: stop the server and copy its file and MEDIA_ROOT.")
    found = {LIBPQ[name]: str(database.get(name) or "") for name in LIBPQ}
    options = database.get("OPTIONS", {})
    found |= {name: str(options[key]) for key, name in OPTIONS.items() if options.get(key)}
    found["PICTURES"] = "" if settings.S3_BUCKET else str(settings.MEDIA_ROOT)
    return {name: value for name, value in found.items() if value or name == "PICTURES"}


for variable, place in places().items():
    print(f"export {variable}={shlex.quote(place)}")  # noqa: T201
