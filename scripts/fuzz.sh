#!/usr/bin/env bash
# Runs each fuzz target of the module for $FUZZTIME, one after the other; stops at the first crash.
set -eu
cd "$(dirname "$0")/.."
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | sort | while read -r file; do
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/func //' | while read -r target; do
    echo "== $(dirname "$file") $target"
    go test -run '^$' -fuzz "^${target}\$" -fuzztime "${FUZZTIME:-20s}" "$(dirname "$file")" </dev/null
  done
done
