"""A console for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.console import Desk, cheap


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    cheap(monkeypatch)
    return Desk(tmp_path / "fleet")
