#!/bin/sh
# Run once by the postgres image, on an empty volume: a role for the server that owns its database and
# is nothing else. Whoever speaks SQL in its name reads no files and starts no programs.
set -eu
export PASSWORD_FILE="${PASSWORD_FILE:-/run/secrets/database_password}"
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'END'
\set password `cat "$PASSWORD_FILE"`
create role photochanger login nosuperuser nocreatedb nocreaterole noreplication password :'password';
create database photochanger owner photochanger;
revoke connect, temporary on database photochanger from public;
revoke connect on database postgres from public;
END
