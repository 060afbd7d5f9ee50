#!/usr/bin/env bash
# Runs every benchmark of the root module ten times: a smoke test, not a measurement.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(scripts/packages.sh with Benchmark)
[ -n "$packages" ] || { echo 'no benchmark was found' >&2; exit 1; }
# shellcheck disable=SC2086
go test -run '^$' -bench . -benchtime=10x -benchmem $packages
