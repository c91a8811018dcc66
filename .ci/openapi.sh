#!/usr/bin/env bash
# Lints openapi.json with Spectral and Redocly: no errors, no warnings.
set -euo pipefail
cd "$(dirname "$0")/.."

node='node_modules/.bin/node'
bin='.ci/tools/node_modules/.bin'
npm --prefix .ci/tools ci --ignore-scripts --no-audit --no-fund --loglevel=error
"$node" "$bin/spectral" lint openapi.json --ruleset .ci/tools/spectral.yaml --fail-severity=warn
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "$node" "$bin/redocly" lint openapi.json --config .ci/tools/redocly.yaml --max-problems=1000
