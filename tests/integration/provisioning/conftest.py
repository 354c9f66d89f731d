"""What every test here has: a fleet's file that is not waited for, so that a busy disk does not slow them down."""

from __future__ import annotations

import pytest

from provisioning import store_engine


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power; that the store waits for the disk, tests/contract/store asks."""
    monkeypatch.setattr(store_engine, "SYNCHRONOUS", "OFF")
