"""Who gets in with a card, and who does not. The cards are the simulated ones, written from NXP's documents alone."""

from __future__ import annotations

import dataclasses

import pytest

from device.keeper.cards.content import MOST_COUNTER, pack_place
from device.keeper.cards.counters import Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import MOST_STEPS, Added, adding
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.cards.steps import Reason
from tests.unit.keeper.cards.bench import CHIPS, DOOR, MASTER, UID, Door, blank, played
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.enemies import clone_of
from tools.simulator.cards.memory import FREE, Kind, Mode, Right
from tools.simulator.cards.status import CardGone
from tools.simulator.cards.store import decode, encode

KINDS = {
    Kind.DESFIRE_EV1: CardKind.DESFIRE_EV1,
    Kind.DESFIRE_EV2: CardKind.DESFIRE_EV2,
    Kind.NTAG424: CardKind.NTAG_424,
}
chips = pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)


def twin(card: SimulatedCard) -> SimulatedCard:
    """A copy with everything, keys too: what somebody gets who opens the chip."""
    return SimulatedCard(decode(encode(card.memory)))


@chips
def test_a_card_that_was_added_opens_again_and_again(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    assert card == Registered(KINDS[kind], UID, 77)
    for use in range(2, 6):
        chip.reset()
        assert door.open(card, chip.process).opens
        assert door.kept == Kept(use, pending=False)
        assert door.steps <= 7


@chips
def test_a_blank_card_of_the_same_number_opens_nothing(kind: Kind) -> None:
    door = Door()
    card, _ = door.resident(kind)
    assert door.open(card, blank(kind).process).reason is Reason.UNKNOWN_KEY
    assert door.kept == Kept(1, pending=False)


@chips
def test_a_cheap_copy_opens_nothing(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    assert door.open(card, clone_of(chip).process).reason is Reason.UNKNOWN_KEY


def test_a_bare_number_opens_nothing_and_cannot_be_added() -> None:
    door = Door()
    card, _ = door.resident(Kind.NTAG424)
    bare = SimulatedCard.new(Kind.UID_ONLY, bytes(4))
    assert not door.open(card, bare.process).opens
    assert isinstance(door.add(bare), Reason)


@chips
def test_of_a_card_and_its_full_copy_the_second_is_refused(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    copy = twin(chip)
    assert door.open(card, chip.process).opens
    assert door.open(card, copy.process).reason is Reason.BEHIND
    assert not door.open(card, copy.process).opens
    chip.reset()
    assert door.open(card, chip.process).opens


@chips
def test_a_card_whose_copy_was_used_first_is_refused(kind: Kind) -> None:
    """We cannot tell which of the two is the original; the resident notices at once."""
    door = Door()
    card, chip = door.resident(kind)
    copy = twin(chip)
    assert door.open(card, copy.process).opens
    assert door.open(card, chip.process).reason is Reason.BEHIND


@chips
def test_a_card_ahead_of_the_doors_files_is_refused(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    before = door.kept
    assert door.open(card, chip.process).opens
    door.kept = before
    chip.reset()
    assert door.open(card, chip.process).reason is Reason.AHEAD


@chips
def test_a_replayed_opening_opens_nothing_even_if_the_counters_are_older(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    before = door.kept
    assert door.open(card, chip.process).opens
    heard = list(door.told)
    assert door.open(card, played(heard)).reason is Reason.UNKNOWN_KEY
    door.kept = before
    assert door.open(card, played(heard)).reason is Reason.UNKNOWN_KEY


@chips
def test_a_card_of_another_door_is_refused_and_stays_as_it_is(kind: Kind) -> None:
    ours, theirs = Door(kept=Kept(1, pending=False)), Door(keys=CardKeys(MASTER, b"anothers"))
    card, chip = theirs.resident(kind)
    before = encode(chip.memory)
    assert ours.open(card, chip.process).reason is Reason.UNKNOWN_KEY
    assert encode(chip.memory) == before


@chips
def test_one_key_for_another_serial_is_refused(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    assert door.open(dataclasses.replace(card, serial=78), chip.process).reason is Reason.UNKNOWN_KEY


@chips
def test_a_card_without_a_counter_in_keeper_is_not_even_asked(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    door.kept = None
    assert door.open(card, chip.process).reason is Reason.NO_COUNTER
    assert door.sent == []


@chips
def test_a_counter_that_cannot_be_kept_opens_nothing_and_is_not_written_to_the_card(kind: Kind) -> None:
    door = Door(disk_full=True)
    card, chip = Door().resident(kind)
    door.kept, before = Kept(1, pending=False), encode(chip.memory)
    assert door.open(card, chip.process).reason is Reason.NOT_KEPT
    assert encode(chip.memory) == before


@chips
def test_a_card_at_its_last_count_is_refused(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("device.keeper.cards.exchange._next", lambda _told: MOST_COUNTER)
        assert door.open(card, chip.process).opens
    chip.reset()
    assert door.open(card, chip.process).reason is Reason.SPENT


@chips
@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_card_pulled_away_at_any_moment_of_an_opening_still_opens_afterwards(kind: Kind, answer_lost: bool) -> None:
    for commands in range(7):
        door = Door()
        card, chip = door.resident(kind)
        chip.pull_away_after(commands, answer_lost=answer_lost)
        try:
            opened = door.open(card, chip.process)
        except CardGone:
            opened = None
        chip.reset()
        assert door.open(card, chip.process).opens
        chip.reset()
        assert door.open(card, chip.process).opens
        if opened:
            break
    assert opened
    assert opened.opens


@pytest.mark.exhaustive(2)
@chips
@pytest.mark.parametrize("answer_lost", [False, True])
def test_a_card_pulled_away_at_any_moment_of_adding_is_finished_when_shown_again(kind: Kind, answer_lost: bool) -> None:
    for commands in range(MOST_STEPS):
        door, chip = Door(), blank(kind)
        chip.pull_away_after(commands, answer_lost=answer_lost)
        try:
            added = door.run(adding(UID, door.keys, 77, door.draw), chip.process)
        except CardGone:
            chip.reset()
            added = door.add(chip, serial=99)  # with another serial: keeper need not remember the first
            assert isinstance(added, Added)
            assert added.card.serial == 99
            chip.reset()
            assert door.open(added.card, chip.process).opens
        else:
            assert isinstance(added, Added)
            assert commands > 10
            return
    pytest.fail("adding takes longer than it may")


@chips
def test_a_cancelled_card_can_be_added_again_under_a_fresh_serial_and_begins_anew(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    assert door.open(card, chip.process).opens
    door.kept = None
    added = door.add(chip, serial=1234)
    assert isinstance(added, Added)
    assert added.card == dataclasses.replace(card, serial=1234)
    assert added.kept == Kept(1, pending=False)
    chip.reset()
    assert door.open(card, chip.process).reason is Reason.UNKNOWN_KEY
    chip.reset()
    assert door.open(added.card, chip.process).opens


@chips
def test_a_card_in_another_doors_use_is_not_overwritten(kind: Kind) -> None:
    theirs = Door(keys=CardKeys(bytes(16), DOOR))
    _, chip = theirs.resident(kind)
    before = encode(chip.memory)
    assert Door().add(chip) is Reason.UNKNOWN_KEY
    assert encode(chip.memory) == before


@pytest.mark.parametrize("kind", [Kind.DESFIRE_EV1, Kind.DESFIRE_EV2])
def test_two_doors_share_a_desfire_card(kind: Kind) -> None:
    one, two = Door(), Door(keys=CardKeys(MASTER, b"anothers"))
    card, chip = one.resident(kind)
    also = two.add(chip)
    assert isinstance(also, Added)
    for door, known in ((one, card), (two, also.card), (one, card)):
        chip.reset()
        assert door.open(known, chip.process).opens


def test_an_ntag_that_says_something_to_telephones_is_left_alone() -> None:
    chip = blank(Kind.NTAG424)
    file = chip.memory.applications[1].files[2]
    file.data = b"\x00\x05\xd1\x01\x01\x54\x00" + file.data[7:]
    before = encode(chip.memory)
    assert Door().add(chip) is Reason.NOT_BLANK
    assert encode(chip.memory) == before


@chips
def test_a_card_that_lies_about_its_serial_is_given_a_fresh_one(kind: Kind) -> None:
    """The mark is read in the clear; the key of the serial it names is the neighbour's, and the liar has it not."""
    door = Door()
    neighbour, _ = door.resident(kind, serial=5)
    liar = blank(kind)
    if kind is Kind.NTAG424:
        file = liar.memory.applications[1].files[2]
        file.data = bytes(2) + pack_place(neighbour.serial) + file.data[10:]
    else:
        _, liar = door.resident(kind, serial=6)
        application = liar.memory.applications[int.from_bytes(door.keys.aid, "little")]
        application.keys[0] = type(application.keys[0])()
        application.files = {2: dataclasses.replace(application.files[2], data=pack_place(neighbour.serial) + bytes(8))}
    added = door.add(liar, serial=1000)
    assert isinstance(added, Added)
    assert added.card.serial == 1000


@pytest.mark.parametrize("kind", [Kind.DESFIRE_EV1, Kind.DESFIRE_EV2])
def test_nothing_on_a_desfire_card_is_open_without_its_key(kind: Kind) -> None:
    door = Door()
    _, chip = door.resident(kind)
    application = chip.memory.applications[int.from_bytes(door.keys.aid, "little")]
    assert application.settings & 0x06 == 0  # neither listing nor making files
    assert application.keys[0].value == door.keys.key(KINDS[kind], UID, 77)
    counter, mark = application.files[1], application.files[2]
    assert counter.backup
    assert counter.mode is (Mode.MAC if kind is Kind.DESFIRE_EV1 else Mode.FULL)
    assert {counter.right(right) for right in Right} == {0}
    assert [mark.right(right) for right in (Right.READ, Right.WRITE, Right.READ_WRITE, Right.CHANGE)] == [FREE, 0, 0, 0]


def test_nothing_on_an_ntag_can_be_changed_without_its_key() -> None:
    door = Door()
    _, chip = door.resident(Kind.NTAG424)
    files = chip.memory.applications[1].files
    assert files[3].mode is Mode.FULL
    assert {files[3].right(right) for right in Right} == {0}
    assert [files[2].right(right) for right in (Right.READ, Right.WRITE, Right.READ_WRITE, Right.CHANGE)] == [
        FREE,
        0,
        0,
        0,
    ]
    assert files[2].data[:2] == bytes(2)


@pytest.mark.parametrize("place", [0, 1])
def test_a_torn_write_to_an_ntag_leaves_the_count_before(place: int) -> None:
    door = Door()
    card, chip = door.resident(Kind.NTAG424)
    for _ in range(2 + place):
        chip.reset()
        assert door.open(card, chip.process).opens
    assert door.kept is not None
    file, at = chip.memory.applications[1].files[3], door.kept.counter % 2 * 16
    file.data = file.data[: at + 7] + b"\xff" * 9 + file.data[at + 16 :]
    door.kept = dataclasses.replace(door.kept, pending=True)  # torn: the write was never confirmed
    chip.reset()
    assert door.open(card, chip.process).opens


@chips
def test_a_counter_that_is_rubbish_is_refused_and_mended_by_adding(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    application = chip.memory.applications[1 if kind is Kind.NTAG424 else int.from_bytes(door.keys.aid, "little")]
    file = application.files[3 if kind is Kind.NTAG424 else 1]
    file.data = b"\xaa" * len(file.data)
    assert door.open(card, chip.process).reason is Reason.DAMAGED
    added = door.add(chip)
    assert isinstance(added, Added)
    chip.reset()
    assert door.open(added.card, chip.process).opens


def test_a_card_that_shows_another_number_to_readers_is_refused() -> None:
    door, chip = Door(), blank(Kind.DESFIRE_EV2)
    assert door.run(adding(b"\x08\x01\x02\x03", door.keys, 7, door.draw), chip.process) is Reason.CHANGING_NUMBER


def test_a_number_that_no_card_of_its_kind_has_is_refused() -> None:
    door = Door(kept=Kept(1, pending=False))
    card = Registered(CardKind.NTAG_424, bytes(10), 7)
    assert door.open(card, blank(Kind.NTAG424).process).reason is Reason.UNKNOWN_KIND
