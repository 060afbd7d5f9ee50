#!/usr/bin/env bash
# Prints the folder of every Go module in the repository, the root first.
set -euo pipefail
cd "$(dirname "$0")/.."

find . -name go.mod -not -path '*/testdata/*' -not -path './.*' -exec dirname {} \; | sort
