"""A cheap copy has the number and what is read without a key, and opens nothing."""

from __future__ import annotations

import pytest

from tests.unit.simulator.cards.terminal import AID, NTAG_NAME, OK, Terminal, ask, at, h, native, ready
from tools.simulator.cards import store
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.enemies import clone_of
from tools.simulator.cards.memory import Key, Kind, Mode

KEYS = [bytes([number]) * 16 for number in range(1, 6)]
SECRET, OPEN = b"a counter".ljust(64, b"\x00"), bytes(range(64))


def personalised(kind: Kind) -> SimulatedCard:
    card = ready(kind, f1=(0x1111, Mode.FULL, True), f2=(0xE111, Mode.MAC, False))
    application = next(iter(card.memory.applications.values()))
    application.keys = [Key(value, 9) for value in KEYS]
    if kind is Kind.NTAG424:
        application.files[2].data = OPEN.ljust(256, b"!")
        application.files[3].data = SECRET.ljust(128, b"\x00")
    else:
        application.files[1].data, application.files[2].data = SECRET, OPEN
    return card


@pytest.mark.parametrize("kind", [Kind.DESFIRE_EV1, Kind.DESFIRE_EV2, Kind.NTAG424])
def test_a_copy_has_the_number_and_the_open_files_and_no_secret(kind: Kind) -> None:
    card = personalised(kind)
    copy = clone_of(card)
    assert (copy.kind, copy.uid) == (card.kind, card.uid)
    (mine,), (theirs,) = copy.memory.applications.values(), card.memory.applications.values()
    assert not {key.value for key in mine.keys} & set(KEYS)
    assert len(mine.keys) == len(theirs.keys)
    assert mine.files.keys() == theirs.files.keys()
    secret, free = (3, 2) if kind is Kind.NTAG424 else (1, 2)
    assert mine.files[free].data == theirs.files[free].data
    assert not any(mine.files[secret].data)
    for number in mine.files:
        assert (mine.files[number].rights, mine.files[number].mode) == (
            theirs.files[number].rights,
            theirs.files[number].mode,
        )


@pytest.mark.parametrize(("kind", "ev2"), [(Kind.DESFIRE_EV1, False), (Kind.DESFIRE_EV2, True), (Kind.NTAG424, True)])
def test_who_knows_the_keys_tells_the_copy_at_once(kind: Kind, ev2: bool) -> None:
    card = personalised(kind)
    for each, status in ((card, OK), (clone_of(card), "91AE")):
        each.reset()
        if kind is Kind.NTAG424:
            assert ask(each, NTAG_NAME) == "9000"
        else:
            assert each.process(native(0x5A, AID)) == h(OK)
        assert Terminal(each).authenticate(1, KEYS[1], ev2=ev2) == status


def test_the_copied_card_is_as_it_was() -> None:
    card = personalised(Kind.DESFIRE_EV2)
    before = store.encode(card.memory)
    clone_of(card)
    assert store.encode(card.memory) == before


def test_a_card_that_lists_nothing_gives_its_number_only() -> None:
    card = personalised(Kind.DESFIRE_EV1)
    card.memory.settings = 0x09
    copy = clone_of(card)
    assert (copy.uid, copy.memory.applications) == (card.uid, {})


def test_a_number_is_all_there_is_to_copy_of_a_number() -> None:
    card = SimulatedCard.new(Kind.UID_ONLY)
    copy = clone_of(card)
    assert copy.process(h("FFCA000000")) == card.process(h("FFCA000000"))
    assert copy.memory == card.memory


def test_the_copy_of_an_open_file_is_read_alike() -> None:
    copy = clone_of(personalised(Kind.DESFIRE_EV1))
    copy.process(native(0x5A, AID))
    assert Terminal(copy).send(0xBD, at(2, 0, 64)) == (OPEN, OK)
