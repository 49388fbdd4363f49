#!/bin/bash
# What the postgres image does with an empty volume, in short: a superuser with the given password,
# then the scripts of /docker-entrypoint-initdb.d, while it listens on its socket alone.
set -euo pipefail
shopt -s nullglob
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username postgres --pwfile <(echo "$POSTGRES_PASSWORD") --auth-local trust \
    --auth-host scram-sha-256 --encoding UTF8 --no-locale >/dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl --wait --options "-c listen_addresses=''" start
  for file in /docker-entrypoint-initdb.d/*.sh; do "$file"; done
  pg_ctl --wait --mode fast stop
fi
exec "$@" -c 'listen_addresses=*'
