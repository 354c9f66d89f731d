"""Where salts come from: a PIN's is nobody's to know before, a guests' secret's is the one the resident can compute."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import codes
from device.keeper.attempt import Attempt
from device.wire import Outcome, Secret
from tests.unit.keeper.bench import GUESTS, INVITATION, PIN, Door


def salt_of(door: Door, slot: int = 12) -> bytes:
    held = door.guard.book.held(slot)
    assert held
    return held.salt


def salts_of_four_tenants(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """Two tenants, one after the other, in the same slot of each of two doors: salts of invitations, and of PINs."""
    invited, chosen = [], []
    for number in range(2):
        door = Door(folder / str(number))
        for serial in (1, 2):
            door.invite(serial=serial)
            invited.append(salt_of(door))
            assert door.set_pin(INVITATION, PIN)
            chosen.append(salt_of(door))
        door.guard.file.close()
    return invited, chosen


def test_whoever_moves_in_begins_with_a_salt_that_nobody_could_know_before(tmp_path: Path) -> None:
    """Else somebody stretches all PINs of a flat beforehand, once for all doors."""
    invited, chosen = salts_of_four_tenants(tmp_path)
    assert len(set(chosen)) == len(chosen), "drawn anew for every tenant of every door"
    assert not set(chosen) & {codes.salt(12), *invited}


def test_salts_that_follow_from_the_slot_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: everybody's PIN is stretched like a guests' secret, and every PIN still opens."""
    monkeypatch.setattr(Attempt, "_salt_for", lambda self, _secret, _salt: codes.salt(self.shown.claim))
    _, chosen = salts_of_four_tenants(tmp_path)
    assert set(chosen) == {codes.salt(12)}


def test_a_guests_secret_is_stretched_with_the_salt_that_is_known_at_home(home: Door) -> None:
    salt = salt_of(home)
    assert salt != codes.salt(12)
    assert home.set_secret(Secret.GUESTS, PIN, GUESTS) is Outcome.ACCEPTED
    assert salt_of(home) == salt, "the PIN's stays"
    assert home.type_in(codes.write(home.guests_key(), codes.Once(5)))
