"""A street of a test's own: skipped by name where no network namespace can be made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.broker import INSTALL, PROGRAM
from tools.egress.namespace import NamespaceFault, Street, street


@pytest.fixture(scope="module")
def outside() -> Iterator[Street]:
    """Two namespaces and a cable between them."""
    if not Path(PROGRAM).exists():
        pytest.skip(INSTALL)
    try:
        made = street()
        both = made.__enter__()
    except NamespaceFault as fault:
        pytest.skip(f"the egress proof needs root and network namespaces: {fault}")
    try:
        yield both
    finally:
        made.__exit__(None, None, None)
