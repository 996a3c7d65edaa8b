"""Print, as shell variables for backup.sh and restore.sh, where the database, the pictures and the
backups are.

Only Django's settings know: .env, NAME_FILE, defaults and escaped passwords all end there. A
password in a variable shows in no list of processes, unlike one on a command line.
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


def read_settings() -> dict[str, str]:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        sys.exit("The database is SQLite: stop the server and copy its file and MEDIA_ROOT.")
    found = {LIBPQ[name]: str(database.get(name) or "") for name in LIBPQ}
    options = database.get("OPTIONS", {})
    found |= {name: str(options[key]) for key, name in OPTIONS.items() if options.get(key)}
    found = {name: value for name, value in found.items() if value}
    return found | {
        "PICTURES": "" if settings.S3_BUCKET else str(settings.MEDIA_ROOT),
        "BACKUP_DIR": str(settings.BACKUP_DIR),
        "BACKUP_KEEP": str(settings.BACKUP_KEEP),
        "BACKUP_RESULTS": str(int(settings.BACKUP_RESULTS)),
    }


for name, value in read_settings().items():
    print(f"export {name}={shlex.quote(value)}")  # noqa: T201
