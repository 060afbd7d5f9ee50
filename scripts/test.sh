#!/usr/bin/env bash
# Runs the tests; `make help` says which ways there are.
#
#   scripts/test.sh unit       vet, then the tests that need nothing but Go, in every module
#   scripts/test.sh interop    the tests against real Erlang/OTP
#
# Whatever could not be tried is said at the end, in capitals. With
# TRUSS_RACE=require or TRUSS_INTEROP=require (both set in CI) it is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."

matrix='25 27 29'
notes=() failed=0
flags=(-shuffle=on)

# untried NAME TEXT notes something not tried, which is a failure if NAME=require is set.
untried() {
  notes+=("$2")
  if [ "$(printenv "$1")" = require ]; then
    notes+=("  and that is a failure, because $1=require is set")
    failed=1
  fi
}

# The race detector needs cgo and so a C compiler, which a fresh machine may not have.
race() {
  local compiler
  compiler=$(go env CC)
  if [ "$(go env CGO_ENABLED)" = 1 ] && command -v "${compiler%% *}" >/dev/null; then
    flags+=(-race)
  else
    untried TRUSS_RACE 'there is no C compiler, so the RACE DETECTOR DID NOT RUN'
  fi
}

# unit goes on after a failure: the later modules' results are wanted too.
unit() {
  local module packages
  for module in $(scripts/modules.sh); do
    echo "-- vet and unit tests: module $module"
    packages=./...
    [ "$module" != . ] || packages=$(scripts/packages.sh unit) || failed=1
    # shellcheck disable=SC2086 # one word per package is what is wanted
    (cd "$module" && go vet $packages && go test "${flags[@]}" $packages) || failed=1
  done
}

interop() {
  local packages release root
  packages=$(scripts/packages.sh interop)
  if [ -z "$packages" ]; then
    untried TRUSS_INTEROP 'there are no interop packages, so NOTHING WAS TESTED AGAINST ERLANG'
    return
  fi
  for release in $matrix; do
    root=$(awk -F '\t' -v r="$release" '$1 == r { print $2; exit }' <<<"$peers")
    if [ -z "$root" ]; then
      untried TRUSS_INTEROP "OTP $release is not here: NOTHING WAS TESTED AGAINST OTP $release"
    elif [ "$root" != / ] && [ "$(id -u)" != 0 ]; then
      untried TRUSS_INTEROP "OTP $release is in a chroot, which takes root: NOTHING WAS TESTED AGAINST OTP $release"
    fi
  done
  echo '-- interop tests'
  # -count=1: Go's test cache knows nothing of the Erlang beside it. -p 1: the
  # packages share loopback addresses and real time, each of which one can use up.
  # shellcheck disable=SC2086
  { go vet $packages && TRUSS_PEERS_LIST=$peers go test "${flags[@]}" -count=1 -p 1 $packages; } || failed=1
  # The wire alone, which skips itself among the unit tests.
  TRUSS_PEERS_LIST=$peers go test "${flags[@]}" -count=1 ./dist -run '^TestLive$' -live || failed=1
}

race
# First of all, for some packages have tests of their own with the peers that are
# there. A release that could not be set up is missing in the list, and noticed later.
peers=
case " $* " in
  *' interop '*)
    echo '-- peers'
    peers=$(scripts/peers.sh)
    printf '%s\n' "$peers"
    ;;
esac
for part in "${@:-unit}"; do
  case $part in
    unit) unit ;;
    interop) interop ;;
    *) echo "test.sh: no part called $part" >&2; exit 2 ;;
  esac
done

if [ ${#notes[@]} -gt 0 ]; then
  echo
  echo '################################ NOT TRIED ################################'
  printf '## %s\n' "${notes[@]}"
  echo '############################################################################'
fi
exit $failed
