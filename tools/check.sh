#!/bin/sh
# Lint, format, the walls between the processes, types, unit tests: `make check`, in less than a minute on two cores.
#
# Tests marked slow are left to `make test`, with all but some cases of exhaustive ones (tests/support/sample.py) and three
# quarters of what Hypothesis draws. What takes no second comes first and ends it. Then mypy looks at the types beside
# the unit tests. These run in two parts, each a pytest of its own, which collects its part alone: workers of one pytest
# would each collect everything, and tell a third process of each test. What runs in the background is told at the end.
# One that fails, fails all; Ctrl-C ends all. Units write to memory where there is some: thousands of them sync what they
# wrote, and waiting for a disk shows nothing about them (`make test` runs them on one).
set -eu

cd "$(dirname "$0")/.."
bin=.venv/bin
# About half of the units' time; the other part is whatever else there is in tests/unit.
half='attack_lab card evaluate eye joining keeper policy provisioning report sealing simulator'

"$bin/ruff" check
"$bin/ruff" format --check
"$bin/lint-imports"

told=$(mktemp -d)
scratch=$(mktemp -d /dev/shm/dwc.XXXXXX 2>/dev/null || mktemp -d)
running=
trap '[ -z "$running" ] || kill $running 2>/dev/null || :; rm -rf "$told" "$scratch"' EXIT
trap 'exit 130' INT TERM

export TMPDIR="$scratch" DOORWARD_HYPOTHESIS="${DOORWARD_HYPOTHESIS:-few}"

"$bin/mypy" >"$told/types" 2>&1 &
types=$!
running=$types
these=
others=
for folder in $half; do
    these="$these tests/unit/$folder"
    others="$others --ignore=tests/unit/$folder"
done
# The folders' names hold no spaces. What is killed at the end is pytest itself, no shell around it.
# shellcheck disable=SC2086
"$bin/python" -m pytest -q -p no:xdist -p no:cacheprovider -m "not slow" $these >"$told/units" 2>&1 &
part=$!
running="$types $part"

failed=0
# shellcheck disable=SC2086
"$bin/python" -m pytest -q -p no:xdist -m "not slow" tests/unit $others || failed=$?
wait "$part" || failed=$?
cat "$told/units"
wait "$types" || failed=$?
running=
printf 'mypy: %s\n' "$(cat "$told/types")"
exit "$failed"
