#!/bin/sh
# All tests: `make test`. Those of processes, brokers and browsers on several workers, and the units beside them.
#
# A test of real processes mostly waits: for a window to close, a broker, a page. More of them than there are cores run side
# by side, the longest files first (tests/support/longest.py). Units never wait: two workers of a pytest of their own take
# what processor time the others leave, and give way to them, even to an eye, which gives way itself
# (device/eye/priority.py). Two pytests, because every worker collects all that its pytest runs: ten that each collected
# the units as well would spend a minute on it. What the units said is told at the end. If one part fails, all has failed;
# Ctrl-C ends both.
#
# build/tests-*.xml say afterwards how long each test took; files that take long and are missing in the table of them are
# named. What failed lies where `pytest --lf` looks for it, of both parts.
set -eu

cd "$(dirname "$0")/.."
python=.venv/bin/python
xdist="--dist loadfile --no-loadscope-reorder"
cache=.pytest_cache

told=$(mktemp)
rm -f build/tests-processes.xml build/tests-units.xml
units=
trap '[ -z "$units" ] || kill $units 2>/dev/null || :; rm -f "$told"' EXIT
trap 'exit 130' INT TERM

# The options hold no spaces. What is killed at the end is pytest itself, which `nice` becomes.
# shellcheck disable=SC2086
nice -n 15 "$python" -m pytest -q -n 2 $xdist -o cache_dir="$cache/units" --junit-xml=build/tests-units.xml \
    tests/unit >"$told" 2>&1 &
units=$!

failed=0
# shellcheck disable=SC2086
"$python" -m pytest -q -n "${WORKERS:-8}" $xdist --ignore=tests/unit --junit-xml=build/tests-processes.xml || failed=$?
wait "$units" || failed=$?
units=
"$python" -m tests.support.failed "$cache" "$cache/units" tests/unit/ || failed=$?
# A pytest that could not begin leaves no report.
if [ -f build/tests-processes.xml ] && [ -f build/tests-units.xml ]; then
    "$python" -m tests.support.longest --missing build/tests-processes.xml build/tests-units.xml || failed=$?
fi
cat "$told"
exit "$failed"
