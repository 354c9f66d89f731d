"""Which files of tests take long, so that several workers begin with them.

Rules kept here:
- The order decides when a file is run, never whether: every test that was collected is run once.
- Each worker computes the same order (pytest-xdist insists): from the table and the collection alone, by a stable sort.
- The table says roughly how long, and needs no care: a file that it does not know, or no longer, is run all the same.

`tests/longest.txt` has a line for each file that took some seconds: seconds, a space, the file's path from the root.
`make test` leaves a report of each of its parts, and names files that took long and are missing in the table. A new one
is made of a whole run's reports, on a machine that has nothing else to do:

    make test
    .venv/bin/python -m tests.support.longest build/tests-*.xml >tests/longest.txt
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

TABLE = Path(__file__).parents[1] / "longest.txt"
SHORTEST_S = 5
LONG_S = 20  # a file of so many seconds that begins late is the one that everybody waits for
LAST = ("contract", "unit")  # kinds of files that fill the end, in this order: they wait for little, and are many


def table(text: str) -> dict[str, int]:
    """The seconds of each file in a table's text. Raises ValueError for a line that is none."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        seconds, _, path = line.partition(" ")
        if not path or path in found:
            msg = f"no line of a table of durations: {line!r}"
            raise ValueError(msg)
        found[path] = int(seconds)
    return found


def place(path: str, seconds: Mapping[str, int]) -> tuple[int, int]:
    """Where the file `path` ("tests/kind/...") comes among all: longest first, then by kind. Less is earlier."""
    _, _, below = path.partition("/")
    kind = below.partition("/")[0]
    return -seconds.get(path, 0), LAST.index(kind) + 1 if kind in LAST else 0


def spent_by(*reports: str) -> dict[str, float]:
    """The seconds of each file in a run's reports, which are JUnit XML as pytest writes it. Raises ET.ParseError."""
    spent: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  our own file, made by the command above
            spent[file_of(case.get("classname", ""))] += float(case.get("time", 0))
    return spent


def of_reports(*reports: str) -> str:
    """The table of a run's reports. Raises ET.ParseError."""
    spent = sorted(spent_by(*reports).items(), key=_longest_first)
    return "".join(f"{round(took)} {path}\n" for path, took in spent if took >= SHORTEST_S)


def missing(seconds: Mapping[str, int], spent: Mapping[str, float]) -> str:
    """The sentence about files that took long and that the table does not know; "" if there are none."""
    unknown = [
        path for path, took in sorted(spent.items(), key=_longest_first) if took >= LONG_S and path not in seconds
    ]
    if not unknown:
        return ""
    names = "".join(f"\n  {path}" for path in unknown)
    return f"tests/longest.txt does not know these, which took {LONG_S} s or more (tests/support/longest.py):{names}\n"


def file_of(classname: str) -> str:
    """The file of a test in a report, which names it "tests.kind.test_file", or with a class behind it."""
    parts = classname.split(".")
    last = max((number for number, part in enumerate(parts) if part.startswith("test_")), default=len(parts) - 1)
    return "/".join(parts[: last + 1]) + ".py"


def _longest_first(spent: tuple[str, float]) -> tuple[float, str]:
    path, took = spent
    return -took, path


def _main(words: list[str]) -> str:
    texts = [Path(word).read_text("utf-8") for word in words if word != "--missing"]
    if "--missing" in words:
        return missing(table(TABLE.read_text(encoding="ascii")), spent_by(*texts))
    return of_reports(*texts)


if __name__ == "__main__":
    sys.stdout.write(_main(sys.argv[1:]))
