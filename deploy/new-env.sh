#!/bin/sh
# new-env.sh ADDRESS: write deploy/.env for `docker compose`, with fresh random secrets.
# ADDRESS is the public name of the server, such as photos.example.com.
set -eu
umask 077
cd "$(dirname "$0")"
file="${ENV_OUT:-.env}"
if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "Usage: new-env.sh ADDRESS   (such as photos.example.com, without https://)" >&2
    exit 2
fi
case "$1" in
*[!A-Za-z0-9.-]*) echo "'$1' is no name: letters, digits, dots and dashes only." >&2; exit 2 ;;
esac
if [ -e "$file" ]; then
    echo "$file is there already; nothing changed."
    exit 0
fi

random() { # bytes, in letters that need no quotes anywhere
    head -c "$1" /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'
}

cat >"$file" <<END
# Made by new-env.sh with fresh random secrets. ../.env.example explains the app's variables.
SITE_ADDRESS=$1
POSTGRES_PASSWORD=$(random 24)
GRAFANA_PASSWORD=$(random 18)
METRICS_TOKEN=$(random 33)
SECRET_KEY=$(random 48)
JWT_SIGNING_KEY=$(random 48)
FIELD_ENCRYPTION_KEY=$(random 32)
# GEMINI_API_KEY=
# TURBOTEXT_API_KEY=
# PHOTOCHANGER_VERSION=latest
END
echo "Wrote deploy/$file with fresh secrets. Keep a copy in a safe place, apart from the backups."
