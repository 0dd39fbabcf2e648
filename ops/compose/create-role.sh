#!/bin/bash
# Run once, when the database is created: the role that partkeeper connects as owns the database, and is no superuser. The two
# without a password are those that the bundled schema grants its rights to.
set -euo pipefail
psql --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --set=password="$(</run/secrets/partkeeper_password)" --set=database="$POSTGRES_DB" <<'SQL'
create role partkeeper login password :'password';
create role partkeeper_service nologin;
create role partkeeper_reader nologin;
alter database :"database" owner to partkeeper;
SQL
