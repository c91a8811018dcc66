#!/usr/bin/env bash
# The proto files: style, comments, and nothing that breaks clients of the last release.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/node node_modules/@bufbuild/buf/bin/buf lint
# proto/released.json is the API of the last release; a release replaces it by "buf build --exclude-source-info -o proto/released.json".
node_modules/.bin/node node_modules/@bufbuild/buf/bin/buf breaking --against proto/released.json
echo 'In order.'
