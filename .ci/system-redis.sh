#!/usr/bin/env bash
# Runs a command with TEST_REDIS_URL: Debian's Redis on loopback, in a directory that is gone afterwards.
#   .ci/system-redis.sh npm test
set -euo pipefail

directory=$(mktemp -d /tmp/arkitect-redis-XXXXXX)
port=${REDIS_PORT:-56379}
redis-server --port "$port" --bind 127.0.0.1 --dir "$directory" --save '' --appendonly no > "$directory/log" &
redis=$!

stop() {
  kill "$redis" 2> /dev/null || true
  wait "$redis" 2> /dev/null || true
  rm -rf "$directory"
}
trap stop EXIT

for _ in $(seq 100); do
  if redis-cli -p "$port" ping > /dev/null 2>&1; then break; fi
  sleep 0.1
done
# A server of somebody else on this port would answer, too.
kill -0 "$redis" 2> /dev/null || { cat "$directory/log" >&2; exit 1; }
redis-server --version
TEST_REDIS_URL="redis://127.0.0.1:$port" "$@"
