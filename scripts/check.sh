#!/usr/bin/env bash
# Checks the source without running it. All of it is checked before it fails.
set -uo pipefail
cd "$(dirname "$0")/.."

# Pinned, so that a new release of it cannot break a build that nobody touched.
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
# linux/386 stands for every 32-bit system: there an int does not hold a u32 length.
targets='darwin/amd64 darwin/arm64 windows/amd64 linux/386'

failed=0
# must TITLE COMMAND... runs one check; output counts as failure where the tool does not say so itself.
must() {
  local title=$1 out
  shift
  printf -- '-- %s\n' "$title"
  if ! out=$("$@" 2>&1); then
    printf '%s\nFAILED: %s\n' "$out" "$title"
    failed=1
  fi
}

unformatted() {
  local files
  files=$(gofmt -l .) || return 1
  [ -z "$files" ] || { printf 'not formatted (run gofmt -w on them):\n%s\n' "$files"; return 1; }
}

# in_module FOLDER COMMAND...
in_module() { (cd "$1" && shift && "$@"); }

# build TARGET compiles the code and type-checks the tests. The harness of the
# interop tests needs Unix (process groups, inherited descriptors), so Windows
# gets the packages that users get.
build() {
  export GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0
  local packages=./...
  [ "$GOOS" != windows ] || packages=$(scripts/packages.sh unit) || return 1
  # shellcheck disable=SC2086
  go build $packages && go vet $packages
}

must gofmt unformatted
for module in $(scripts/modules.sh); do
  must "go mod tidy: module $module" in_module "$module" go mod tidy -diff
  must "go vet: module $module" in_module "$module" go vet ./...
  must "staticcheck: module $module" in_module "$module" go run "$staticcheck" ./...
done
for target in $targets; do
  must "build and vet for $target" build "$target"
done
exit $failed
