"""One door per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.keeper.bench import Door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "keeper")
    yield made
    made.guard.file.close()


@pytest.fixture
def home(door: Door) -> Door:
    """A door with one resident, slot 12."""
    door.move_in()
    return door
