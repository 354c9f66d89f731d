"""The house in which vault is tried: all its neighbours, played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.vault.house import House


@pytest.fixture
def house() -> Iterator[House]:
    """A vault with all its neighbours connected and nobody enrolled; whatever happens, no false alarm at lock."""
    built = House()
    built.connect()
    yield built
    built.close()
    assert built.unasked == []
