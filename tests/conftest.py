"""Each test carries the name of its folder as a marker, so that `pytest -m unit` and the like select by kind.

Hypothesis draws the same examples in every run: what fails, fails again. `DOORWARD_HYPOTHESIS=random` looks for new
ones; `few` draws a quarter of them where a test names no number, which is what `make check` does (`make test` draws
all). Of an exhaustive test `make check` runs some cases and `make test` all (tests/support/sample.py).

`make test` runs several workers side by side (pytest-xdist), each with whole files: a door that a file's tests share is
started once. The longest files come first (tests/support/longest.py), so that none is left over when the others are
done; then real processes, for they mostly wait. The units have two workers of their own beside them (tools/test.sh).

What the collection made lives until the end: the garbage collector is told so, or it would look through all of it again
and again, a tenth of the units' time.
"""

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import longest, sample

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and every program they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Two workers have two cores between them: a matrix product that starts threads of its own makes both wait. Read when
# numpy is loaded, which is after this file. The rooms of a door run likewise (tools/simulator/init.py).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("few", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("DOORWARD_HYPOTHESIS", "repeatable"))

TESTS = Path(__file__).parent
KINDS = {"unit", "contract", "integration", "browser"}
YOUNG = 20_000  # objects more than before, when garbage is looked for: libraries of this size make 700 in no time


def kind_of(item: pytest.Item) -> str:
    """The folder below tests/ that a test lies in."""
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by folder: nobody has to remember it, and no test can claim to be of another kind."""
    for item in items:
        if kind_of(item) in KINDS:
            item.add_marker(kind_of(item))
    many = [(item, mark) for item in items if (mark := item.get_closest_marker("exhaustive")) is not None]
    for number in sample.left_out((item.nodeid.partition("[")[0], *mark.args) for item, mark in many):
        many[number][0].add_marker("slow")
    if hasattr(config, "workerinput"):  # one of several workers; who runs tests alone wants the quick ones first
        seconds = longest.table(longest.TABLE.read_text(encoding="ascii"))
        items.sort(key=lambda item: longest.place(item.path.relative_to(TESTS.parent).as_posix(), seconds))


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
