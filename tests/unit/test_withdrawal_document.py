"""The document that ends a place: one form, verified like any other, understood alike by whoever reads the page."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from nacl.signing import SigningKey

from device import document
from device.document import SlotOffers
from device.errors import DocumentRefused
from device.lock import timetables
from device.lock.timetables import Binding
from device.wire import SlotOffer
from tests.independent import reader

DOOR = bytes.fromhex("00112233445566aa")
KEY = SigningKey(bytes(range(32)))
MANAGER = bytes(KEY.verify_key)
ISSUED = 1_900_000_000
WITHDRAWN = SlotOffer.withdrawal(12, 4)
ALMOST = {
    "a verifier": replace(WITHDRAWN, verifier=bytes(31) + b"\1"),
    "a salt": replace(WITHDRAWN, salt=bytes(15) + b"\1"),
    "a timetable": replace(WITHDRAWN, timetable=1),
    "an end": replace(WITHDRAWN, ends_unix=ISSUED + 1),
    "a negative expiry": replace(WITHDRAWN, expires_unix=-1),
    "no serial": replace(WITHDRAWN, serial=0),
    "no slot": replace(WITHDRAWN, slot=0),
}


def signed(*offers: SlotOffer) -> bytes:
    return document.sign(SlotOffers(offers), door_id=DOOR, version=7, issued_unix=ISSUED, key=KEY)


def forced(offer: SlotOffer) -> bytes:
    """`offer` correctly signed by a manager's program that does not look at it."""
    fields = (offer.slot, offer.serial, offer.expires_unix, offer.ends_unix, offer.timetable, offer.salt)
    content = signed(WITHDRAWN)[:26] + struct.pack("<IIqqB16s32s", *fields, offer.verifier)
    return content + KEY.sign(document._DOMAIN + content).signature


def test_a_withdrawal_is_read_as_it_was_signed_also_beside_offers() -> None:
    beside = SlotOffer(13, 1, ISSUED + 9, 0, 0, bytes(16), bytes(range(32)))
    body = document.parse(signed(WITHDRAWN, beside), DOOR, MANAGER).body
    assert body == SlotOffers((WITHDRAWN, beside))
    assert [offer.withdraws for offer in (WITHDRAWN, beside)] == [True, False]


def test_whoever_reads_the_page_reads_the_same() -> None:
    (offer,) = reader.read_document(signed(WITHDRAWN), door=DOOR, key=MANAGER, newest=6).offers
    assert (offer.slot, offer.serial, offer.expires_unix, offer.verifier) == (12, 4, 0, bytes(32))


@pytest.mark.parametrize("almost", ALMOST)
def test_what_is_almost_a_withdrawal_is_neither_signed_nor_believed_nor_read(almost: str) -> None:
    with pytest.raises(DocumentRefused):
        signed(ALMOST[almost])
    data = forced(ALMOST[almost])
    with pytest.raises(DocumentRefused):
        document.parse(data, DOOR, MANAGER)
    with pytest.raises(reader.DocumentRefused, match="MALFORMED"):
        reader.read_document(data, door=DOOR, key=MANAGER, newest=6)


def test_seeded_fault_a_door_that_takes_any_offer_without_an_expiry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlotOffer, "withdraws", property(lambda offer: offer.expires_unix == 0))
    document.parse(forced(ALMOST["a verifier"]), DOOR, MANAGER)  # which the test above would not let pass


def test_the_hours_of_a_place_end_with_it_and_those_of_others_stay() -> None:
    before = frozenset({Binding(12, 3, 7), Binding(13, 1, 7)})
    during = timetables.offered(before, (WITHDRAWN,))
    assert during == before, "until keeper holds the withdrawal nothing is lifted"
    assert timetables.kept(during, (WITHDRAWN,)) == frozenset({Binding(13, 1, 7)})
