#!/usr/bin/env bash
# What somebody does who has just cloned the project: npm start, the call from the README, Ctrl-C.
#   .ci/fresh-clone.sh root   in a directory that only root may enter
#   .ci/fresh-clone.sh user   as an account of its own, without any rights
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
port=${PORT:-8765}
account=arkitect-ci
as_account=()

case ${1:-} in
  root)
    [ "$(id -u)" -eq 0 ] || { echo 'Not root, so there is nothing to try as root.'; exit 0; }
    home=$(mktemp -d "$(getent passwd root | cut -d: -f6)/arkitect-ci-XXXXXX")
    ;;
  user)
    home=$(mktemp -d /tmp/arkitect-ci-XXXXXX)
    if [ "$(id -u)" -eq 0 ]; then
      id "$account" > /dev/null 2>&1 || useradd --system --no-create-home --shell /bin/bash "$account"
      chown "$account" "$home"
      as_account=(setpriv "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups)
    fi
    ;;
  *)
    echo 'Say root or user.' >&2
    exit 2
    ;;
esac

launcher=
stop() {
  [ -z "$launcher" ] || kill -KILL -- "-$launcher" 2> /dev/null || true
  rm -rf "$home"
}
trap stop EXIT

fail() {
  echo "$1" >&2
  cat "$home/log" >&2
  exit 1
}

clone="$home/arkitect"
# The committed state alone, by a bare copy that the account may read.
git -c safe.directory='*' clone --quiet --no-local --depth 1 "file://$checkout" "$clone"
[ ${#as_account[@]} -eq 0 ] || chown -R "$account" "$clone"
cd "$clone"

begun=$SECONDS
# With job control the command is a process group of its own that Ctrl-C can reach as a whole, as in a terminal.
set -m
# A home and a cache of its own; the registry is the one that this machine uses.
env HOME="$home" npm_config_cache="$home/.npm" npm_config_registry="$(npm config get registry 2> /dev/null)" PORT="$port" \
  "${as_account[@]}" npm start > "$home/log" 2>&1 < /dev/null &
launcher=$!
set +m
until curl -fsS "http://127.0.0.1:$port/health/ready" > /dev/null 2>&1; do
  kill -0 "$launcher" 2> /dev/null || fail 'npm start ended before it was ready:'
  [ $((SECONDS - begun)) -lt 300 ] || fail 'Not ready after 300 s:'
  sleep 0.2
done
echo "Ready after $((SECONDS - begun)) s."

# The server suggests the very call that the README shows, and the answer is the README's but for ids, names and times.
suggested=$(awk '/^  curl /{on=1} on{print} on && !/\\$/{exit}' "$home/log" | sed 's/^  //')
shown=$(sed -n '/<!-- flow -->/,/<!-- \/flow -->/p' README.md | sed '/^<!--/d; /^```/d' | sed "s/:8000/:$port/")
[ "$suggested" = "$shown" ] || fail "The README and the server suggest different calls: $shown"
answer=$(bash -c "$shown")
node .ci/compare-answer.mjs "$answer" || fail "The answer is not what the README shows: $answer"
echo 'The first task was completed, as the README shows.'

# The command line finds the token by itself.
flow=$(sed -n '/<!-- cli flow -->/,/<!-- \/cli flow -->/p' README.md | sed '/^<!--/d; /^```/d')
[ -n "$flow" ] || fail 'The README shows no command line.'
env HOME="$home" npm_config_cache="$home/.npm" ARKITECT_URL="http://127.0.0.1:$port" "${as_account[@]}" bash -euc "$flow" > "$home/flow" 2>&1 < /dev/null ||
  fail "The command line does not do what the README shows: $(cat "$home/flow")"
for part in '^status  *completed' '^RUNNER_SLOTS  *16  *32  *live' '^arkitect top'; do
  grep -q "$part" "$home/flow" || fail "The command line does not print $part: $(cat "$home/flow")"
done
echo 'The command line did what the README shows.'

begun=$SECONDS
kill -INT -- "-$launcher"
while kill -0 "$launcher" 2> /dev/null; do
  [ $((SECONDS - begun)) -le 3 ] || fail 'Still there 3 s after Ctrl-C:'
  sleep 0.05
done
code=0
wait "$launcher" || code=$?
# npm itself may say that it was interrupted.
[ "$code" -eq 0 ] || [ "$code" -eq 130 ] || fail "npm start ended with code $code after Ctrl-C:"
echo "Gone $((SECONDS - begun)) s after Ctrl-C."
! curl -fs "http://127.0.0.1:$port/health/live" > /dev/null || fail 'The server still answers:'
changes=$(git -c safe.directory='*' status --porcelain)
[ -z "$changes" ] || fail "The checkout is not clean after a run: $changes"
