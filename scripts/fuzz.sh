#!/usr/bin/env bash
# Runs every fuzz target of the root module for a short while: scripts/fuzz.sh [TIME]
#
# A crash leaves its input in testdata/fuzz of the package: keep it, it is a
# regression test from then on.
set -uo pipefail
cd "$(dirname "$0")/.."

time=${1:-5s}
failed=0 count=0

# Without a bound on minimizing, the engine spends most of a short time on that: a
# twentieth of the inputs and fewer.
fuzz() { go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" -fuzzminimizetime 10x "$1" 2>&1; }

for package in $(scripts/packages.sh with Fuzz); do
  # Listing by the tool, not by grep, so that build tags count.
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
    count=$((count + 1))
    printf -- '-- %s %s: ' "${package#github.com/truss-beam/truss/}" "$target"
    out=$(fuzz "$package" "$target") || {
      # On a busy machine the engine may report its own deadline as a failure
      # (golang.org/issue/48591). That leaves no input behind; once more, then.
      if grep -q 'context deadline exceeded' <<<"$out" && ! grep -q 'Failing input' <<<"$out"; then
        out=$(fuzz "$package" "$target")
      else
        false
      fi
    } || {
      printf 'FAILED\n%s\n' "$out"
      failed=1
      continue
    }
    grep -oE 'execs: [0-9]+' <<<"$out" | tail -n 1
  done
done
echo "$count fuzz targets, $time each"
[ "$count" -gt 0 ] || { echo 'FAILED: no fuzz target was found' >&2; failed=1; }
exit $failed
