#!/bin/sh
# Lint, format, the walls between the processes, types, unit tests: `make check`.
#
# Tests marked slow are left to `make test`. What takes no second comes first and ends it. Then mypy looks at the types
# beside the unit tests, for either alone leaves a core idle; what it says is told after them. One that fails, fails
# all; Ctrl-C ends both. Units write to memory where there is some: thousands of them sync what they wrote, and waiting
# for a disk shows nothing about them (`make test` runs them on one).
set -eu

cd "$(dirname "$0")/.."
bin=.venv/bin

"$bin/ruff" check
"$bin/ruff" format --check
"$bin/lint-imports"

told=$(mktemp)
"$bin/mypy" >"$told" 2>&1 &
types=$!
scratch=$(mktemp -d /dev/shm/dwc.XXXXXX 2>/dev/null || mktemp -d)
trap 'kill "$types" 2>/dev/null || :; rm -rf "$told" "$scratch"' EXIT
trap 'exit 130' INT TERM

failed=0
TMPDIR=$scratch "$bin/python" -m pytest -q -n 2 --dist worksteal -m "not slow" tests/unit || failed=$?
wait "$types" || failed=$?
printf 'mypy: %s\n' "$(cat "$told")"
exit "$failed"
