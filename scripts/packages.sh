#!/usr/bin/env bash
# Prints the root module's packages by what their tests need.
#
#   scripts/packages.sh unit              nothing but Go
#   scripts/packages.sh interop           real Erlang/OTP nodes
#   scripts/packages.sh with FUNCTION     those whose tests have a func of that prefix: Fuzz, Benchmark
set -euo pipefail
cd "$(dirname "$0")/.."

# internal/beam is the harness of the interop tests and tests itself on real nodes.
needs_otp='/(interop|internal/beam)(/|$)'

case ${1:-} in
  unit) go list ./... | grep -vE "$needs_otp" ;;
  interop) go list ./... | grep -E "$needs_otp" || true ;;
  with)
    { grep -rlE --include='*_test.go' "^func $2" . || true; } | xargs -r -n 1 dirname | sort -u |
      while read -r dir; do
        # A folder of a nested module is not ours to list.
        go list "$dir" 2>/dev/null || true
      done
    ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
