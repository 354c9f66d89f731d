"""What tests of an OSDP reader have: an adapter that is plugged in, and a supervisor that is soon done waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.lock import osdp_supervisor
from tests.contract.osdp.bench import Cable, cable_in


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("START_S", 0.5), ("RETRY_S", 0.1), ("SILENT_S", 1.5), ("MUTED_S", 0.3), ("CALM_S", 0.3)):
        monkeypatch.setattr(osdp_supervisor, name, seconds)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    with cable_in(tmp_path) as made:
        yield made
