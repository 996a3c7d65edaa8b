# The words of the runbooks on a machine without Docker. In the installation's folder:
#     . deploy/runbooks/native.sh
# Commands run as the owner of the folder, so that no file of root's stands in the server's way.

as_owner() { sudo -u "$(stat -c %U manage.py)" -- "$@"; }
manage() { as_owner .venv/bin/python manage.py "$@"; }
renew_secret() { manage renew_secret "$@"; }
# What lies in the folder is the version.
use_version() { true; }
restart_server() { sudo systemctl restart photochanger photochanger-watch; }
_all() {
    sudo systemctl "$1" photochanger photochanger-watch photochanger-cleanup.timer \
        photochanger-backup.timer
}
stop_server() { _all stop; }
start_server() { _all start; }
server_log() { sudo journalctl -u photochanger -n 200 -f; }
_setting() { as_owner .venv/bin/python -c "from photochanger.settings import *; print($1)"; }
# By the port that it listens on, whatever address stands before it.
health() { curl -sS "http://127.0.0.1:$(_setting 'BIND.rpartition(":")[2]')/healthz"; }
# With a key of its own: an equal photo would get its earlier picture, and prove nothing.
try_booth() {
    manage booth ingest/sample/portrait.jpg --slot "$1" --idempotency-key "$(date +%s)"
}
backup_now() { as_owner deploy/backup.sh; }
list_backups() { as_owner ls -1 "$(_setting BACKUP_DIR)"; }
restore_backup() { as_owner deploy/restore.sh "$@"; }
