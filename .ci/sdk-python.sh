#!/usr/bin/env bash
# The Python SDK: generated code, lint, types, and its tests against the server in dist.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
sdk=$PWD/sdk/python

command -v python3 > /dev/null || { echo 'python3 is missing, so the Python SDK cannot be tested.' >&2; exit 1; }
[ -f dist/main.js ] && [ -e node_modules/.bin/node ] || { echo 'There is no server in dist: run npm test or npm start first.' >&2; exit 1; }

directory=$(mktemp -d /tmp/arkitect-sdk-python-XXXXXX)
trap 'rm -rf "$directory"' EXIT

# Debian's python3 comes without what a venv needs.
if ! python3 -m venv "$directory/venv" > /dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  install() { apt-get install -y -q --no-install-recommends python3-venv > /dev/null; }
  install || { apt-get update -q > /dev/null && install; }
  rm -rf "$directory/venv"
  python3 -m venv "$directory/venv"
fi
# Nothing is left in the checkout.
export PYTHONDONTWRITEBYTECODE=1
PATH=$directory/venv/bin:$PATH

python --version
pip install --quiet --disable-pip-version-check --constraint "$sdk/requirements.txt" "$sdk[test]"
cd "$sdk"
python generate.py --check
ruff check --no-cache
ruff format --no-cache --check
mypy --cache-dir "$directory/mypy"
pytest -p no:cacheprovider --timeout 120 "$@"
