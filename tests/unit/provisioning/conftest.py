"""What every test here has: a fleet's file that is not waited for and made once; passphrases, invitations at low cost.

What is cheap here has tests of its own: that the store waits for the disk, and every step of its tables, in
tests/contract/store; that the copy is what the steps make, in `test_store.py`; what a passphrase and an
invitation cost, in `test_keys_and_invitations.py` (fixture `full_price`).
"""

from __future__ import annotations

import pytest
from nacl.pwhash import argon2id

from provisioning import invitation, keys, store_engine
from tests.support import quick_fleet


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """No test here cuts the power."""
    monkeypatch.setattr(store_engine, "SYNCHRONOUS", "OFF")
    quick_fleet.copied(monkeypatch)
    if "full_price" not in request.fixturenames:
        monkeypatch.setattr(invitation, "OPERATIONS", argon2id.OPSLIMIT_MIN)
        monkeypatch.setattr(invitation, "MEMORY_BYTES", argon2id.MEMLIMIT_MIN)
        monkeypatch.setattr(keys, "AT_REST", keys.Hardness(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN))


@pytest.fixture
def full_price() -> None:
    """Passphrases and invitations cost what they cost people."""
