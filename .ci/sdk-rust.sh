#!/usr/bin/env bash
# The Rust SDK: format, lint, and its tests against the server of this checkout. Needs cargo with rustfmt and clippy; no protoc.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in cargo cargo-fmt cargo-clippy; do
  command -v "$tool" > /dev/null || {
    echo "There is no $tool. Install Rust 1.88 or newer with rustfmt and clippy." >&2
    exit 1
  }
done
# The linker, and the compiler of the one dependency that is not all Rust (ring).
command -v cc > /dev/null || {
  export DEBIAN_FRONTEND=noninteractive
  install() { apt-get install -y -q --no-install-recommends gcc libc6-dev > /dev/null; }
  install || { apt-get update -q > /dev/null && install; }
}
[ -x node_modules/.bin/node ] || npm ci --no-audit --no-fund --loglevel=error
[ -e dist/main.js ] || npm run --silent build

cd sdk/rust
cargo fmt --check
cargo clippy --locked --all-targets -- -D warnings
cargo test --locked
