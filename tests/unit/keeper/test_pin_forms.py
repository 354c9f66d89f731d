"""What is made of a PIN, against the form in docs/formats.md, computed another way."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from nacl.exceptions import RuntimeError as NaclRuntimeError

from device.errors import Fault
from device.keeper.pin import PRODUCTION, Verifiers, stretcher
from tests.unit.keeper.bench import PIN

PEPPER = bytes(range(32))
STRETCHED = b"s" * 32
SLOTS = (1, 12, 2**24, 2**32 - 1)  # as far as the wire's four bytes go


def keyed(slot: int, person: bytes) -> bytes:
    data = slot.to_bytes(4, "little") + STRETCHED
    return blake2b(data, digest_size=32, key=PEPPER, person=person).digest()


@pytest.mark.parametrize("slot", SLOTS)
def test_a_verifier_is_blake2b_of_the_four_bytes_of_its_slot_and_the_stretched_pin(slot: int) -> None:
    assert Verifiers(PEPPER).verifier(slot, STRETCHED) == keyed(slot, b"doorward pin v1")


@pytest.mark.parametrize("slot", SLOTS)
def test_the_key_of_what_lies_beside_a_pin_is_made_alike_and_is_another(slot: int) -> None:
    assert Verifiers(PEPPER).box_key(slot, STRETCHED) == keyed(slot, b"doorward beside")


def test_who_has_no_memory_for_a_check_is_told_how_much_one_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> bytes:
        raise NaclRuntimeError

    monkeypatch.setattr("nacl.bindings.crypto_pwhash_alg", no_memory)
    with pytest.raises(Fault, match=r"^a check needs 64 MiB of memory, and they are not there$"):
        stretcher(PRODUCTION)(PIN, bytes(16))
