"""How a PIN is stretched and kept: a verifier fits one slot of one door, and nothing but what the wire describes."""

from __future__ import annotations

import dataclasses

import pytest
from nacl import pwhash
from nacl.exceptions import RuntimeError as NaclRuntimeError

from device.errors import Fault, KeyFault, RecordRefused
from device.keeper import record
from device.keeper.cards import registered
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.pin import PRODUCTION, Cost, Verifiers, derive, stretcher
from device.keeper.record import PAYLOAD_BYTES, Credential, Kind
from tests.unit.keeper.bench import CHEAP, PIN

SALT = bytes(range(16))
HELD = Credential(Kind.PIN, 7, bytes(16), 1, 2, 3, SALT, bytes(32))


def test_production_stretches_twice_over_64_mebibytes() -> None:
    assert Cost(passes=2, memory_bytes=64 << 20) == PRODUCTION
    assert (PRODUCTION.passes, PRODUCTION.memory_bytes) == (
        pwhash.argon2id.OPSLIMIT_INTERACTIVE,
        pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    )
    assert stretcher.__defaults__ == (PRODUCTION,)


def test_stretching_is_argon2id_as_the_wire_describes_it() -> None:
    expected = pwhash.argon2id.kdf(32, PIN.encode(), SALT, opslimit=CHEAP.passes, memlimit=CHEAP.memory_bytes)
    assert stretcher(CHEAP)(PIN, SALT) == expected


def test_a_verifier_is_useless_without_the_key_of_its_door() -> None:
    stretched = stretcher(CHEAP)(PIN, SALT)
    here, elsewhere = Verifiers.of_door(bytes(32)), Verifiers.of_door(b"\x01" + bytes(31))
    stored = here.verifier(12, stretched)
    assert here.matches(12, stretched, stored)
    assert not elsewhere.matches(12, stretched, stored)
    assert stored != stretched


def test_a_verifier_belongs_to_its_slot() -> None:
    verifiers = Verifiers.of_door(bytes(32))
    stored = verifiers.verifier(12, bytes(32))
    assert not verifiers.matches(13, bytes(32), stored)


def test_each_use_of_the_root_key_has_a_key_of_its_own() -> None:
    root = bytes(range(32))
    keys = {derive(root, purpose) for purpose in (b"doorward pepper", b"doorward ring", b"doorward tries")}
    assert len(keys) == 3
    assert root not in keys


def test_a_root_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(KeyFault):
        derive(bytes(31), b"doorward ring")


def test_too_little_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> bytes:
        raise NaclRuntimeError

    monkeypatch.setattr("nacl.bindings.crypto_pwhash_alg", no_memory)
    with pytest.raises(Fault):
        stretcher(CHEAP)(PIN, SALT)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_record_comes_back_and_all_kinds_have_one_size(kind: Kind) -> None:
    held = Credential(kind, 2**32 - 1, b"o" * 16, -1, 2**40, 2**41, SALT, b"v" * 32)
    held = held.ended() if kind is Kind.ENDED else held
    assert record.unpack(record.pack(held)) == held
    assert len(record.pack(held)) == PAYLOAD_BYTES


def test_any_other_payload_is_refused() -> None:
    good = record.pack(HELD)
    for bad in (
        b"",
        good[:-1],
        good + b"\0",
        b"\x02" + good[1:],
        b"\x03" + good[1:],
        b"\x05" + good[1:],
        good[:1] + b"\x00" + good[2:],
        good[:1] + b"\x09" + good[2:],
    ):
        with pytest.raises(RecordRefused):
            record.unpack(bad)


def test_a_record_that_ended_and_could_still_be_matched_is_refused() -> None:
    spent = HELD.ended()
    assert (spent.serial, spent.offer_id, spent.ends_unix) == (HELD.serial, HELD.offer_id, HELD.ends_unix)
    for bad in (dataclasses.replace(spent, salt=SALT), dataclasses.replace(spent, verifier=b"v" * 32)):
        with pytest.raises(RecordRefused):
            record.unpack(record.pack(bad))


def test_an_end_before_1970_is_refused() -> None:
    with pytest.raises(RecordRefused):
        record.unpack(record.pack(dataclasses.replace(HELD, ends_unix=-1)))


CARDS = registered.pack((Registered(CardKind.NTAG_424, b"u" * 7, 9),))
FULL = dataclasses.replace(
    HELD,
    duress=b"d" * 32,
    duress_box=b"b" * 56,
    guest_key=b"g" * 32,
    guest_used=2**63 + 5,
    cards=registered.pack((Registered(CardKind.NTAG_424, b"u" * 7, 9),)),
)


def test_everything_beside_a_pin_comes_back_and_goes_with_it() -> None:
    assert record.unpack(record.pack(FULL)) == FULL
    ended = FULL.ended()
    assert ended == dataclasses.replace(HELD, kind=Kind.ENDED, salt=bytes(16), verifier=bytes(32))


@pytest.mark.parametrize("field", ["duress", "guest_key", "cards"])
@pytest.mark.parametrize("kind", [Kind.INVITATION, Kind.ENDED])
def test_nothing_stands_beside_what_is_no_pin(kind: Kind, field: str) -> None:
    bare = HELD.ended() if kind is Kind.ENDED else dataclasses.replace(HELD, kind=kind)
    assert record.unpack(record.pack(bare)) == bare
    beside = dataclasses.replace(bare, **{field: getattr(FULL, field)})
    with pytest.raises(RecordRefused):
        record.unpack(record.pack(beside))


@pytest.mark.parametrize("change", [{"duress": bytes(32)}, {"guest_key": bytes(32)}])
def test_what_belongs_to_something_does_not_stand_without_it(change: dict[str, bytes]) -> None:
    with pytest.raises(RecordRefused):
        record.unpack(record.pack(dataclasses.replace(FULL, **change)))  # type: ignore[arg-type] # by name
