"""What tests of desk's commands have: a door's root of their own, which the commands find as they would on a door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.desk.house import short_root
from tests.unit.desk.papers import write_config


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with short_root() as folder:
        write_config(folder)
        monkeypatch.setenv("DOORWARD_ROOT", str(folder))
        monkeypatch.setenv("DOORWARD_ONE_USER", "simulated")
        yield folder
