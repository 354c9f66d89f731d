"""Each test carries the name of its folder as a marker, so that `pytest -m unit` and the like select by kind.

Hypothesis draws the same examples in every run: what fails, fails again. `DOORWARD_HYPOTHESIS=random` looks for new
ones.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and every program they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("DOORWARD_HYPOTHESIS", "repeatable"))

TESTS = Path(__file__).parent
KINDS = {"unit", "contract", "integration"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder: nobody has to remember it, and no test can claim to be of another kind."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in KINDS:
            item.add_marker(kind)
