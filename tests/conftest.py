"""Each test carries the name of its folder as a marker, so that `pytest -m unit` and the like select by kind."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
KINDS = {"unit", "contract", "integration"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder: nobody has to remember it, and no test can claim to be of another kind."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in KINDS:
            item.add_marker(kind)
