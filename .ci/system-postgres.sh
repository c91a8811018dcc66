#!/usr/bin/env bash
# Runs a command with TEST_DATABASE_URL: Debian's PostgreSQL on loopback, in a directory that is gone afterwards.
#   .ci/system-postgres.sh npm test
set -euo pipefail

programs=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
directory=$(mktemp -d /tmp/arkitect-postgres-XXXXXX)
port=${PGPORT:-55432}
as_owner=()

stop() {
  "${as_owner[@]}" "$programs/pg_ctl" -D "$directory/data" -m immediate -w stop > /dev/null 2>&1 || true
  rm -rf "$directory"
}
trap stop EXIT

# PostgreSQL refuses to be run by root.
if [ "$(id -u)" -eq 0 ]; then
  owner=postgres
  id "$owner" > /dev/null 2>&1 || owner=nobody
  chown "$owner" "$directory"
  as_owner=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
fi

cd "$directory"
"${as_owner[@]}" "$programs/initdb" -D "$directory/data" -A trust -U postgres -E UTF8 --locale=C > /dev/null
"${as_owner[@]}" "$programs/pg_ctl" -D "$directory/data" -l "$directory/log" -w start \
  -o "-p $port -k $directory -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200" > /dev/null
cd "$OLDPWD"
"$programs/postgres" --version
TEST_DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres" "$@"
