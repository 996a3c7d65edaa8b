# The words of the runbooks where the server runs in Docker. In the installation's folder:
#     . deploy/runbooks/docker.sh

_compose() { docker compose -f deploy/compose.yaml "$@"; }
as_owner() { sudo -u "$(stat -c %U manage.py)" -- "$@"; }
# In a container of its own: it works while the server is stopped, too.
manage() { _compose run --rm app "$@"; }
# The file is outside of the containers and belongs to whoever calls this.
renew_secret() {
    _compose run --rm --no-deps --user "$(id -u):$(id -g)" --volume "$PWD/deploy:/host" \
        app renew_secret "$@" --path /host/secrets/app.env
}
# The name under which an image is kept, and the one that runs.
use_version() {
    sed -i '/^#* *PHOTOCHANGER_VERSION=/d' deploy/.env
    echo "PHOTOCHANGER_VERSION=$1" >> deploy/.env
}
restart_server() { _compose up --detach --force-recreate --no-deps app watch cleanup backup; }
stop_server() { _compose stop app watch cleanup backup; }
start_server() { _compose up --detach; }
server_log() { _compose logs --tail 200 --follow app; }
health() { curl -sS "https://$(sed -n 's/^SITE_ADDRESS=//p' deploy/.env)/healthz"; }
# With a key of its own: an equal photo would get its earlier picture, and prove nothing.
try_booth() {
    manage booth ingest/sample/portrait.jpg --slot "$1" --idempotency-key "$(date +%s)" \
        --url http://app:8000 --no-save
}
backup_now() { _compose run --rm --entrypoint deploy/backup.sh backup; }
list_backups() { _compose run --rm --no-deps --entrypoint ls backup -1 var/backups; }
restore_backup() { _compose run --rm --no-deps --entrypoint deploy/restore.sh prepare "$@"; }
