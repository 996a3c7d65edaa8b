#!/bin/sh
# restore.sh [--yes] FOLDER: put the database and the pictures back as they were when backup.sh
# made FOLDER. What is in the database now is lost. Stop all servers before.
set -eu
umask 027
here="$(cd "$(dirname "$0")/.." && pwd)"
agreed=
if [ "${1:-}" = --yes ]; then
    agreed=yes
    shift
fi
if [ $# -ne 1 ] || [ ! -f "$1/database.dump" ]; then
    echo "Usage: restore.sh [--yes] FOLDER   (one that backup.sh has made)" >&2
    exit 2
fi
backup="$(cd "$1" && pwd)"
cd "$here"
found="$(.venv/bin/python deploy/database_env.py)"
eval "$found"

(cd "$backup" && sha256sum --check --quiet --strict SHA256SUMS) || {
    echo "$backup is damaged; nothing has been changed." >&2
    exit 1
}
others="$(psql --no-psqlrc --tuples-only --no-align --command \
    "select count(*) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()")"
if [ "$others" != 0 ]; then
    echo "$others connections are open to the database $PGDATABASE: stop all servers first." >&2
    exit 1
fi
if [ -z "$agreed" ]; then
    printf 'All that is in the database %s now will be lost. Type its name to go on: ' "$PGDATABASE"
    read -r answer
    [ "$answer" = "$PGDATABASE" ] || { echo "Nothing has been changed." >&2; exit 1; }
fi

# Files first, rows second: a row never points at a file that is not there.
if [ -n "$PICTURES" ] && [ -f "$backup/media.tar" ]; then
    mkdir -p "$PICTURES"
    tar --extract --file="$backup/media.tar" --directory="$PICTURES" --no-same-owner
fi

# Whole before psql begins: of a pipe that breaks off it would keep the first half.
script="$(mktemp)"
trap 'rm -f "$script"' EXIT
pg_restore --no-owner --no-privileges --file="$script" "$backup/database.dump"
# All or nothing: one transaction, in which even what the dump does not know of goes away.
psql --no-psqlrc --quiet --single-transaction --set=ON_ERROR_STOP=1 --output=/dev/null \
    --command="set lock_timeout = '10s'; set client_min_messages = warning" \
    --command="drop schema public cascade; create schema public" --file="$script"

# What guests have deleted since the backup stays deleted; what was not in it is told to be gone.
LOG_LEVEL=ERROR .venv/bin/python manage.py migrate --noinput --verbosity 0
LOG_LEVEL=ERROR .venv/bin/python manage.py settle_restore

echo "Restored $backup."
echo "Now look whether all is well, and start the servers:"
echo "  deploy/start.sh prepare && deploy/start.sh check"
echo "The saved provider keys open with the FIELD_ENCRYPTION_KEY of that time only."
