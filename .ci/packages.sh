#!/usr/bin/env bash
# Debian packages that the other steps need, installed when they are missing.
set -euo pipefail

missing=()
command -v redis-server > /dev/null || missing+=(redis-server)
command -v curl > /dev/null || missing+=(curl)
command -v promtool > /dev/null || missing+=(prometheus)
command -v amtool > /dev/null || missing+=(prometheus-alertmanager)
command -v fish > /dev/null || missing+=(fish)
command -v zsh > /dev/null || missing+=(zsh)
compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || missing+=(postgresql)
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' > /dev/null || missing+=(faketime)
if [ ${#missing[@]} -eq 0 ]; then
  echo 'All there.'
  exit
fi
# Debian's packages would start servers of their own on the usual ports; nothing here wants those.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install() { apt-get install -y -q --no-install-recommends "${missing[@]}" > /dev/null; }
install || { apt-get update -q > /dev/null && install; }
echo "Installed ${missing[*]}."
