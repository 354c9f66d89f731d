"""Lengths and bounds of what cards say and hold: what is too short, too long or not padded is refused by a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.errors import KeyFault, RecordRefused
from device.keeper.cards import ev2
from device.keeper.cards.aes import BLOCK_BYTES, cmac, encipher
from device.keeper.cards.content import COUNTER_BYTES, pack_counter, unpack_counter
from device.keeper.cards.counters import Counters, Kept
from device.keeper.cards.diversify import CardKeys, diversified
from device.keeper.cards.exchange import adding
from device.keeper.cards.registered import CardKind, Registered, pack, unpack
from device.keeper.cards.session import Mode
from device.keeper.cards.steps import OK, Answer, CardRefused, Reason
from tests.unit.keeper.cards.bench import DOOR, MASTER, UID, Door, blank, played
from tools.simulator.cards.memory import Kind

KEYS = CardKeys(MASTER, DOOR)
DESFIRES = (Kind.DESFIRE_EV1, Kind.DESFIRE_EV2)


@pytest.mark.parametrize("size", [0, 4, 11, 12, 15, 17, 32])
def test_what_has_not_the_length_of_a_counter_is_none(size: int) -> None:
    whole = pack_counter(3, 7)
    assert unpack_counter(whole, 3) == 7
    assert len(whole) == COUNTER_BYTES
    assert unpack_counter((whole * 2)[:size], 3) is None


@pytest.mark.parametrize("size", [0, 19, 20, 39, 41, 60])
def test_what_has_not_the_length_of_a_slots_cards_is_refused(size: int) -> None:
    cards = (Registered(CardKind.NTAG_424, UID, 3), Registered(CardKind.DESFIRE_EV2, UID[::-1], 4))
    assert unpack(pack(cards)) == cards
    with pytest.raises(RecordRefused, match="the cards of a slot"):
        unpack((pack(cards) * 2)[:size])


@pytest.mark.parametrize("kind", CardKind)
@pytest.mark.parametrize("size", [0, 1, 3, 5, 6, 8, 9, 11])
def test_no_key_follows_from_a_number_that_no_card_has(kind: CardKind, size: int) -> None:
    assert len(KEYS.key(kind, UID, 3)) == BLOCK_BYTES
    with pytest.raises(KeyFault, match="unusual length"):
        KEYS.key(kind, bytes(size), 3)


@pytest.mark.parametrize(("size", "follows"), [(15, False), (16, True), (31, True), (32, False)])
def test_a_key_follows_from_16_to_31_bytes(size: int, follows: bool) -> None:
    """AN10922: a block of 32 bytes, of which the constant takes one; below 16 there would be less than the number."""
    if follows:
        assert len(diversified(MASTER, bytes(size))) == BLOCK_BYTES
        return
    with pytest.raises(KeyFault, match="16 to 31 bytes"):
        diversified(MASTER, bytes(size))


@pytest.mark.parametrize(
    ("kind", "size", "entered"),
    [(CardKind.NTAG_424, 10, "9000"), (CardKind.NTAG_424, 5, "9000"), (CardKind.DESFIRE_EV2, 5, "9100")],
)
def test_a_card_with_a_number_that_its_kind_cannot_have_opens_nothing(kind: CardKind, size: int, entered: str) -> None:
    door = Door(kept=Kept(1, pending=False))
    ended = door.open(Registered(kind, bytes(range(size)), 3), played([bytes.fromhex(entered)]))
    assert not ended.opens
    assert ended.reason is Reason.UNKNOWN_KIND
    assert ended.settle is None


@pytest.mark.parametrize("kind", DESFIRES, ids=lambda kind: kind.value)
@pytest.mark.parametrize("answer", [bytes.fromhex("919d"), bytes.fromhex("91ae"), bytes(24) + bytes.fromhex("9100")])
def test_a_counter_that_cannot_be_read_while_a_card_is_added_ends_it_unless_there_is_none(
    kind: Kind, answer: bytes
) -> None:
    """Only "no such file" means a card on which the file is to be made; nothing is written after any other word."""
    door, chip = Door(), blank(kind)

    def process(apdu: bytes) -> bytes:
        told = chip.process(apdu)
        return answer if apdu[1] == 0xBD and apdu[5] == 1 else told

    ended = door.run(adding(UID, door.keys, 3, door.draw), process)
    assert isinstance(ended, Reason)
    assert door.told[-1] == answer, "nothing more was said to the card"


def session_and_answer(plain: bytes) -> tuple[ev2.Ev2Session, Answer]:
    """A session, and what a card that has its keys says if it deciphers to `plain`."""
    enc, mac, ti = bytes(range(16)), bytes(range(16, 32)), b"tran"
    counter = (1).to_bytes(2, "little")
    iv = encipher(enc, (bytes.fromhex("5aa5") + ti + counter).ljust(BLOCK_BYTES, b"\0"))
    data = encipher(enc, plain, iv)
    tag = cmac(mac, b"\0" + counter + ti + data)[1::2]
    return ev2.Ev2Session(enc, mac, ti), Answer(data + tag, OK)


def test_an_answer_whose_padding_is_wrong_is_refused_although_its_mac_is_right() -> None:
    told = b"sixteen bytes: a"
    session, answer = session_and_answer(told + b"\x80" + bytes(15))
    assert session.answer(answer, 16, Mode.FULL) == told
    for padding in (bytes(16), b"\x80" + bytes(14) + b"\1", b"\x81" + bytes(15), b"\0\x80" + bytes(14)):
        session, answer = session_and_answer(told + padding)
        with pytest.raises(CardRefused, match="makes no sense"):
            session.answer(answer, 16, Mode.FULL)


def test_counters_are_not_written_if_nothing_is_to_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "cards"
    counters = Counters(path, bytes(32))
    counters.load()
    counters.keep(3, Kept(1, pending=False))
    counters.keep(4, Kept(1, pending=False))
    before = path.read_bytes()
    counters.retain((3, 4, 5))
    assert path.read_bytes() == before
    counters.retain((4,))
    assert path.read_bytes() != before
    assert (counters.get(3), counters.get(4)) == (None, Kept(1, pending=False))
    counters.close()
