"""A slot without a duress PIN or a guests' secret: what stands in their place matches nothing, whatever comes out."""

from __future__ import annotations

from dataclasses import dataclass

from device import codes, wire
from device.keeper.match import By, Decoys, Shown, match
from device.keeper.pin import Verifiers
from device.keeper.record import NOTHING, Credential, Kind
from tests.unit.keeper.bench import DAY, NOON

HELD = Credential(Kind.PIN, 1, b"o" * 16, NOON, NOON + 5, wire.NO_END, bytes(16), b"v" * 32)


@dataclass(frozen=True)
class Always(Verifiers):
    """Stretching and hashing gave `told`, whatever was typed."""

    told: bytes = NOTHING

    def verifier(self, slot: int, stretched: bytes) -> bytes:
        return self.told


def test_no_duress_pin_is_matched_by_nothing_even_if_a_hash_were_all_zeros() -> None:
    shown = Shown(12, Kind.PIN, "482913", day=DAY)
    assert match(Always(bytes(32)), shown, bytes(32), HELD, Decoys()) is None
    found = match(Always(bytes(32), HELD.verifier), shown, bytes(32), HELD, Decoys())
    assert found is not None
    assert found.by is By.RIGHT


def test_codes_made_from_no_secret_at_all_open_nothing() -> None:
    """Anybody can make them."""
    for code in (codes.Once(3), codes.Window(DAY, 1)):
        shown = Shown(12, Kind.PIN, codes.write(NOTHING, code), day=DAY)
        assert match(Always(bytes(32), b"x" * 32), shown, bytes(32), HELD, Decoys()) is None
