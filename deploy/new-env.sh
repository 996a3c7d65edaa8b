#!/bin/sh
# new-env.sh ADDRESS: write deploy/.env and the files of deploy/secrets for `docker compose`, with fresh
# random secrets. ADDRESS is the public name of the server, such as photos.example.com. What is there
# already stays; secrets of an earlier deploy/.env, which held them all, move to their files.
set -eu
umask 077
cd "$(dirname "$0")"
folder="${ENV_OUT:-.}"
file="$folder/.env"
secrets="$folder/secrets"
if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "Usage: new-env.sh ADDRESS   (such as photos.example.com, without https://)" >&2
    exit 2
fi
case "$1" in
*[!A-Za-z0-9.-]*) echo "'$1' is no name: letters, digits, dots and dashes only." >&2; exit 2 ;;
esac
if [ -e "$secrets/app.env" ]; then
    echo "$secrets is there already; nothing changed."
    exit 0
fi

random() { # bytes, in letters that need no quotes anywhere
    head -c "$1" /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'
}
earlier() { # NAME: what deploy/.env of an earlier version says
    [ ! -e "$file" ] || sed -n "s/^$1=//p" "$file" | tail -n 1
}
value() { # NAME BYTES: the earlier value, or a random one
    found="$(earlier "$1")"
    printf '%s' "${found:-$(random "$2")}"
}
put() { # NAME: standard input, for whoever may enter the folder; a container's user is not ours
    cat >"$secrets/$1"
    chmod 444 "$secrets/$1"
}

mkdir -p "$secrets"
chmod 700 "$secrets"
value POSTGRES_PASSWORD 24 | put database_password
random 24 | put postgres_password
value GRAFANA_PASSWORD 18 | put grafana_password
value METRICS_TOKEN 33 | put metrics_token
earlier S3_SECRET_ACCESS_KEY | tr -d '\n' | put s3_secret_key
url="$(earlier DATABASE_URL)"
printf '%s' "${url:-postgres://photochanger:$(cat "$secrets/database_password")@db:5432/photochanger}" |
    put database_url
ours='POSTGRES_PASSWORD GRAFANA_PASSWORD METRICS_TOKEN DATABASE_URL S3_SECRET_ACCESS_KEY SECRET_KEY
JWT_SIGNING_KEY FIELD_ENCRYPTION_KEY'
compose='SITE_ADDRESS PHOTOCHANGER_VERSION UPSTREAMS BACKUP_KEEP BACKUP_RESULTS FRONT_ADDRESS
MACHINE_ADDRESS S3_BUCKET S3_PREFIX S3_ENDPOINT_URL S3_REGION S3_ACCESS_KEY_ID'
names() { # which lines of an earlier .env a file takes over
    printf '^(%s)=' "$(echo "$@" | tr -s ' \n' '|')"
}
{
    echo "# The server's own variables: ../../.env.example explains them. Made by new-env.sh."
    echo "SECRET_KEY=$(value SECRET_KEY 48)"
    echo "JWT_SIGNING_KEY=$(value JWT_SIGNING_KEY 48)"
    echo "FIELD_ENCRYPTION_KEY=$(value FIELD_ENCRYPTION_KEY 32)"
    if [ -e "$file" ]; then
        grep -E '^[A-Z]' "$file" | grep -Ev "$(names "$ours $compose")" || :
    else
        printf '# %s=\n' GEMINI_API_KEY TURBOTEXT_API_KEY
    fi
} >"$secrets/app.env.new"
{
    echo "# What compose.yaml is filled in from; no secrets. Made by new-env.sh."
    echo "SITE_ADDRESS=$1"
    if [ -e "$file" ]; then
        grep -E "$(names "$compose")" "$file" | grep -v '^SITE_ADDRESS=' || :
    else
        printf '# %s\n' PHOTOCHANGER_VERSION=latest APP_MEMORY=2g
    fi
} >"$file.new"
# The new place first: what breaks off in between loses nothing.
put app.env <"$secrets/app.env.new"
rm "$secrets/app.env.new"
mv "$file.new" "$file"
echo "Wrote deploy/.env and deploy/secrets with fresh secrets. Keep a copy in a safe place, apart from" \
    "the backups."
