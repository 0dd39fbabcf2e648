#!/bin/bash
# As much of the official image's entrypoint as tests and docker-compose.yml rely on: POSTGRES_USER, POSTGRES_PASSWORD,
# POSTGRES_DB, each also as …_FILE, POSTGRES_INITDB_ARGS, programs and SQL in /docker-entrypoint-initdb.d.
set -euo pipefail

for name in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB; do
  file=${name}_FILE
  if [[ -n ${!file:-} ]]; then
    export "$name=$(<"${!file}")"
    unset "$file"
  fi
done
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
export POSTGRES_USER POSTGRES_DB

[[ ${1:-} == -* ]] && set -- postgres "$@"
[[ ${1:-} == postgres ]] || exec "$@"
shift

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown -R postgres:postgres "$PGDATA" /run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" postgres "$@"
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  # shellcheck disable=SC2086 # words of the caller's
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 \
    --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:?}") ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  [[ $POSTGRES_DB == postgres ]] || createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) "$file" ;;
      *.sql) psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
