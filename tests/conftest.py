"""Each test carries the name of its folder as a marker, so that `pytest -m unit` and the like select by kind.

Hypothesis draws the same examples in every run: what fails, fails again. `DOORWARD_HYPOTHESIS=random` looks for new
ones.

`make test` runs several workers side by side (pytest-xdist), each with whole files: a door that a file's tests share is
started once. Real processes come first, for they mostly wait; the units fill the gaps and the end.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and every program they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Two workers have two cores between them: a matrix product that starts threads of its own makes both wait. Read when
# numpy is loaded, which is after this file. The rooms of a door run likewise (tools/simulator/init.py).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("DOORWARD_HYPOTHESIS", "repeatable"))

TESTS = Path(__file__).parent
KINDS = {"unit", "contract", "integration", "browser"}
LAST = ("contract", "unit")  # among several workers: in this order, after all others


def kind_of(item: pytest.Item) -> str:
    """The folder below tests/ that a test lies in."""
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by folder: nobody has to remember it, and no test can claim to be of another kind."""
    for item in items:
        if kind_of(item) in KINDS:
            item.add_marker(kind_of(item))
    if hasattr(config, "workerinput"):  # one of several workers; who runs tests alone wants the quick ones first
        items.sort(key=lambda item: LAST.index(kind) + 1 if (kind := kind_of(item)) in LAST else 0)
