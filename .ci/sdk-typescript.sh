#!/usr/bin/env bash
# The TypeScript SDK: its packages, its generated code, its types, and its tests against the real server.
set -euo pipefail
cd "$(dirname "$0")/.."

# The tests of TLS make certificates.
command -v openssl > /dev/null || {
  export DEBIAN_FRONTEND=noninteractive
  install() { apt-get install -y -q --no-install-recommends openssl > /dev/null; }
  install || { apt-get update -q > /dev/null && install; }
}

# The server that the tests start, and the Node that comes with it: the tests need a newer one than the SDK itself.
[ -f dist/main.js ] && [ -e node_modules/.bin/node ] ||
  node --input-type=module -e "import { ensureBuilt, ensureInstalled } from './scripts/setup.mjs'; ensureInstalled(); ensureBuilt();"
newer_node=$PWD/node_modules/.bin

cd sdk/typescript
npm ci --loglevel=error
npm run --silent generate:check
npm run --silent typecheck
npm run --silent build
# What the package promises: the oldest Node is the one that is installed here.
node --input-type=module -e "import { Client, Worker } from '@arkitect/sdk'; new Client().close(); new Worker(); console.log('Loads on Node', process.version);"
PATH="$newer_node:$PATH" npm test --silent
