#!/usr/bin/env bash
# Metrics and alerts before a real Prometheus, amtool and Alertmanager; promtool checks names, types and units.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in promtool amtool; do
  command -v $program > /dev/null || { echo "$program is missing; .ci/packages.sh installs it." >&2; exit 1; }
done
promtool --version 2>&1 | head -1
npm test -- test/prometheus
