#!/bin/sh
# The one way in, in a container and on a plain machine alike:
#   deploy/start.sh prepare         the database up to date, the static files in their folder
#   deploy/start.sh [serve]         serve until SIGTERM; photos in flight are finished first
#   deploy/start.sh together        serve, and watch beside it, until the server ends
#   deploy/start.sh COMMAND ...     any command of manage.py
set -eu
cd "$(dirname "$0")/.."

case "${1:-serve}" in
prepare)
    .venv/bin/python manage.py migrate --noinput
    # Only the settings know: .env is not a shell's to read.
    static="$(.venv/bin/python -c 'from photochanger.settings import STATIC_ROOT; print(STATIC_ROOT)')"
    # In an image they are there since it was built, and nobody may write.
    if [ ! -e "$static" ] || [ -w "$static" ]; then
        .venv/bin/python manage.py collectstatic --noinput --verbosity 0
    fi
    ;;
serve)
    exec .venv/bin/gunicorn
    ;;
together)
    # gunicorn takes this shell's place and its number, and ends as it would alone.
    (.venv/bin/python manage.py watch --beside $$ &)
    exec .venv/bin/gunicorn
    ;;
*)
    exec .venv/bin/python manage.py "$@"
    ;;
esac
