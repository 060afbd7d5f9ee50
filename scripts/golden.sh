#!/usr/bin/env bash
# Records the golden files again from the Erlang/OTP and Elixir on PATH.
#
# A package whose recording can be automatic has either a test called TestRecord
# behind a -record flag, or an executable testdata/**/record.sh that is run from
# its own folder and writes beside itself. Where a README.md in testdata gives a
# command instead, that command is to be run by hand; those are listed at the end.
# The bytes may differ between OTP releases: read the diff before committing it.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v erl >/dev/null || { echo 'golden: there is no erl on PATH' >&2; exit 1; }

automatic=()
for folder in $(grep -rl --include='*_test.go' 'flag.Bool("record"' . | xargs -r -n 1 dirname | sort -u); do
  echo "-- $folder: TestRecord"
  go test "$folder" -count=1 -run '^TestRecord' -record
  automatic+=("$folder/testdata/")
done
for program in $(find . -path '*/testdata/*' -name record.sh -type f -perm -u+x | sort); do
  echo "-- $program"
  (cd "${program%/*}" && ./record.sh </dev/null)
  automatic+=("${program%/*}/")
done

echo '-- changed'
git status --short -- ':(glob)**/testdata/**'
for readme in $(find . -path '*/testdata/*' -name README.md | sort); do
  case " ${automatic[*]-} " in
    *" ${readme%README.md} "*) ;;
    *) echo "by hand: $readme" ;;
  esac
done
