#!/bin/sh
# Save the database and the pictures into a new folder of BACKUP_DIR (default: var/backups), and
# keep the newest BACKUP_KEEP of them (default: 14); .env may name them. Of the pictures only the templates: guests'
# results live for days and a backup for weeks, and guests are promised days. BACKUP_RESULTS=1 saves
# the results too; what a guest has deleted stays deleted all the same.
set -eu
umask 077
cd "$(dirname "$0")/.."
found="$(.venv/bin/python deploy/database_env.py)"
eval "$found"
folder="$BACKUP_DIR"
keep="$BACKUP_KEEP"
name="photochanger-$(date -u +%Y-%m-%dT%H%M%SZ)"
half="$folder/.$name.half"

if [ "$keep" -lt 1 ]; then
    echo "BACKUP_KEEP is '$keep'; it must be 1 or more." >&2
    exit 2
fi
mkdir -p "$folder"
rm -rf "$folder"/.photochanger-*.half # of a run that was broken off
trap 'rm -rf "$half"' EXIT
trap 'exit 1' INT TERM
mkdir "$half"

# The database first: each of its rows has its file now. What is stored while we go on has no row
# in the dump, and cleanup removes it after a restore.
pg_dump --format=custom --no-owner --no-privileges --file="$half/database.dump"

if [ -z "$PICTURES" ]; then
    echo "Pictures are in a bucket and not in this backup: let the bucket keep versions of them."
elif [ -d "$PICTURES" ]; then
    results=--exclude=./results
    [ "$BACKUP_RESULTS" != 1 ] || results=
    # Faces that nobody has to get back: what a service or a test run works on, what was deleted.
    # Status 1: a picture's time was over while we read it.
    tar --create --file="$half/media.tar" --directory="$PICTURES" ${results:+"$results"} \
        --exclude=./held --exclude=./provider-inputs --exclude=./test-photos \
        --warning=no-file-changed --warning=no-file-removed . || [ $? -eq 1 ]
fi

(cd "$half" && sha256sum -- * >SHA256SUMS)
sync "$half"/*
mv -T "$half" "$folder/$name"

# Names sort by time. Whole ones only: a half one begins with a dot.
find "$folder" -maxdepth 1 -type d -name 'photochanger-*Z' | sort -r | tail -n "+$((keep + 1))" |
    while IFS= read -r old; do
        rm -rf "$old"
        echo "Removed $old"
    done
echo "Saved $folder/$name ($(du -sh "$folder/$name" | cut -f1))."
echo "Not in it, on purpose: .env and secrets/. Keep a copy of them in another place; without" \
    "FIELD_ENCRYPTION_KEY nobody can read the saved provider keys."
