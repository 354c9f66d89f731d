"""Numbers that cards and records hold for years: who changes one locks every resident with a card out."""

from __future__ import annotations

import hashlib

import pytest

from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.registered import CARD_BYTES, CardKind, Registered, pack, unpack
from device.keeper.cards.steps import Answer, CardRefused, transmit
from device.keeper.cards.version import kind_of
from tests.unit.keeper.cards.bench import MASTER, UID, Door, played

MORE, OK = b"\x91\xaf", b"\x91\x00"


@pytest.mark.parametrize(
    ("product", "major", "kind"),
    [
        (0x01, 0x01, CardKind.DESFIRE_EV1),
        (0x01, 0x12, CardKind.DESFIRE_EV2),
        (0x01, 0x22, CardKind.DESFIRE_EV2),
        (0x01, 0x33, CardKind.DESFIRE_EV2),
        (0x04, 0x30, CardKind.NTAG_424),
    ],
)
def test_a_card_is_known_by_its_product_and_its_version(product: int, major: int, kind: CardKind) -> None:
    def told(product: int, major: int) -> list[bytes]:
        return [bytes((0x04, product, 2, major, 0, 0, 0)) + MORE, bytes(7) + MORE, UID + bytes(7) + OK]

    assert Door().run(kind_of(UID), played(told(product, major))) is kind
    for other in ((product + 1, major), (product, major + 1), (product, major - 1)):
        with pytest.raises(CardRefused):
            Door().run(kind_of(UID), played(told(*other)))


@pytest.mark.parametrize(
    ("kind", "number"), [(CardKind.DESFIRE_EV1, 1), (CardKind.DESFIRE_EV2, 2), (CardKind.NTAG_424, 3)]
)
def test_a_record_names_a_cards_kind_by_the_number_it_always_had(kind: CardKind, number: int) -> None:
    packed = pack((Registered(kind, UID, 7),))
    assert packed[:CARD_BYTES] == bytes((number, len(UID))) + UID.ljust(10, b"\0") + (7).to_bytes(4, "little") + bytes(
        4
    )
    assert unpack(packed) == (Registered(kind, UID, 7),)


def test_the_application_of_a_door_follows_from_d00000_and_its_hash_whether_odd_or_even() -> None:
    seen = set()
    for number in range(8):
        door = number.to_bytes(8, "big")
        low = int.from_bytes(hashlib.blake2b(door, digest_size=8, person=b"doorward aid").digest(), "little") % 2**20
        assert int.from_bytes(CardKeys(MASTER, door).aid, "little") == 0xD00000 + low
        seen.add(low % 2)
    assert seen == {0, 1}


def test_an_answer_holds_256_bytes_and_its_status_and_no_more() -> None:
    longest = bytes(256) + OK
    assert Door().run(transmit(b"\x90"), played([longest])) == Answer(bytes(256), 0x9100)
    for wrong in (bytes(257) + OK, b"\x91", b""):
        with pytest.raises(CardRefused):
            Door().run(transmit(b"\x90"), played([wrong]))
