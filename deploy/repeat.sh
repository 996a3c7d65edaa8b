#!/bin/sh
# repeat.sh SECONDS COMMAND ...: cron for a container that is not root's. Runs the command at
# every whole multiple of SECONDS (900: at :00, :15, :30, :45; 86400: at midnight UTC), one run
# after the other, until SIGTERM, which a run in progress gets too.
set -eu
every="$1"
shift
child=
trap 'trap - TERM; [ -z "$child" ] || kill "$child" 2>/dev/null || :; exit 0' TERM INT
while :; do
    sleep $((every - $(date +%s) % every)) &
    child=$!
    wait "$child"
    "$@" &
    child=$!
    # What failed has told the log why; the next run comes all the same.
    wait "$child" || echo "repeat.sh: $1 ended with status $?" >&2
done
