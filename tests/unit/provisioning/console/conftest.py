"""A console for each test: a copy of one that was furnished once, for that takes longer than most tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning import store_engine
from tests.support.console import Desk, cheap


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store_engine, "SYNCHRONOUS", "OFF")
        cheap(patched)
        return Desk(tmp_path_factory.mktemp("furnished") / "fleet")


@pytest.fixture
def desk(furnished: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    cheap(monkeypatch)
    return furnished.copied(tmp_path / "fleet")
