"""Which test reaches which line, and how long it takes: found once, by running the tests under coverage.

Rules kept here:
- A line is reached by a test if it ran while the test did, in whatever thread.
- What other processes run is not seen here. A test that starts one of ours counts for every line.
- A test that fails while it is watched (the watching makes it slower) counts for every line, too.
- Lines that run while tests are collected are told apart: what they made is already there when a test begins.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from tools.endurance.mutation_suite import options

_STARTS = {"os.fork", "os.forkpty"}
_STARTS_OTHERS = {"subprocess.Popen", "os.posix_spawn"}


@dataclass(slots=True)
class Reach:
    """`seconds` of each test; per file and line the `tests` that reach it; the lines run while `loading`."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    loading: dict[str, list[int]] = field(default_factory=dict)
    everywhere: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write it to `path`, whole or not at all. Tests are written as numbers: there are many, and long."""
        number = {name: at for at, name in enumerate(self.seconds)}
        whole = asdict(self)
        whole["lines"] = {
            file: {line: [number[test] for test in tests] for line, tests in lines.items()}
            for file, lines in self.lines.items()
        }
        new = path.with_suffix(".new")
        new.write_text(json.dumps(whole), encoding="utf-8")
        new.replace(path)

    @classmethod
    def load(cls, path: Path) -> Reach:
        """What `save` wrote. Raises OSError, ValueError."""
        whole = json.loads(path.read_text(encoding="utf-8"))
        names = list(whole["seconds"])
        whole["lines"] = {
            file: {int(line): [names[at] for at in tests] for line, tests in lines.items()}
            for file, lines in whole["lines"].items()
        }
        return cls(**whole)


class _Watch:
    """A pytest plugin: tells coverage which test runs."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.reach = Reach()
        self._now = ""
        sys.addaudithook(self._heard)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._now = item.nodeid
        self.reach.seconds[item.nodeid] = 0.0
        self._coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reach.seconds[report.nodeid] += report.duration
        if report.failed:
            self._counts_everywhere(report.nodeid)

    def _counts_everywhere(self, test: str) -> None:
        if test not in self.reach.everywhere:
            self.reach.everywhere.append(test)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self._now and (event in _STARTS or (event in _STARTS_OTHERS and "python" in f"{args[0]} {args[1]}")):
            self._counts_everywhere(self._now)


def watched(tree: Path, sources: str, tests: list[str]) -> Reach:
    """Run `tests` in `tree` (where this process stands) and see what of `sources` they reach. Once in a process."""
    coverage = Coverage(data_file=None, config_file=False, source=[str(tree / sources)], messages=False)
    coverage.set_option("run:disable_warnings", ["no-data-collected", "module-not-measured", "module-not-imported"])
    watch = _Watch(coverage)
    coverage.start()
    pytest.main([*options(), *tests], plugins=[watch])
    coverage.stop()
    data = coverage.get_data()
    for file in data.measured_files():
        by_line = data.contexts_by_lineno(file)
        name = str(Path(file).relative_to(tree))
        watch.reach.lines[name] = {line: sorted(set(tests) - {""}) for line, tests in by_line.items()}
        watch.reach.loading[name] = sorted(line for line, tests in by_line.items() if "" in tests)
    return watch.reach


if __name__ == "__main__":
    watched(Path.cwd(), sys.argv[2], sys.argv[3:]).save(Path(sys.argv[1]))
