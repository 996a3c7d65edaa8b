#!/bin/sh
# every.sh SECONDS COMMAND ...: cron for a container that does not run as root. Runs COMMAND at
# every whole multiple of SECONDS (900: at :00, :15, :30, :45; 86400: at midnight UTC), one run
# after the other, until SIGTERM, which a run in progress gets too.
set -eu
interval_s="$1"
shift
child=
trap 'trap - TERM; [ -z "$child" ] || kill "$child" 2>/dev/null || :; exit 0' TERM INT
while :; do
    sleep $((interval_s - $(date +%s) % interval_s)) &
    child=$!
    wait "$child"
    "$@" &
    child=$!
    # A failed run has logged why; the next one comes all the same.
    wait "$child" || echo "every.sh: $1 ended with status $?" >&2
done
