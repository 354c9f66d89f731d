"""What every test here has: a fleet's file that is not waited for, and a passphrase at low cost."""

from __future__ import annotations

import pytest
from nacl.pwhash import argon2id

from provisioning import keys, store_engine


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here cuts the power, or guesses; what both cost people, tests/contract/store and the units ask."""
    monkeypatch.setattr(store_engine, "SYNCHRONOUS", "OFF")
    monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))
