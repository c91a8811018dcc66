#!/usr/bin/env bash
# The metrics before a real Prometheus: it scrapes a real server, and promtool checks names, types and units.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v promtool > /dev/null || { echo 'promtool is missing; .ci/packages.sh installs it.' >&2; exit 1; }
promtool --version 2>&1 | head -1
npm test -- test/prometheus
