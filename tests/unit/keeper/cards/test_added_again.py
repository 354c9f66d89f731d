"""Adding a card that has a key of this door: who knew that key too knows nothing afterwards, and no card is lost."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.keeper.cards import exchange
from device.keeper.cards.content import PLACE_BYTES, pack_place, unpack_mark
from device.keeper.cards.counters import Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.exchange import MOST_STEPS, Added, adding
from device.keeper.cards.registered import Registered
from device.keeper.cards.session import FACTORY_KEY
from device.keeper.cards.steps import Draw, Reason, Steps
from device.keeper.cards.version import kind_of
from device.wire import MAX_APDU
from tests.unit.keeper.cards.bench import CHIPS, DOOR, UID, Door, blank
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Application, DataFile, Kind
from tools.simulator.cards.status import CardGone
from tools.simulator.cards.store import decode, encode

chips = pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
WRONG_KEY = bytes.fromhex("91ae")


def twin(card: SimulatedCard) -> SimulatedCard:
    """A copy with everything, keys too: an emulated card."""
    return SimulatedCard(decode(encode(card.memory)))


def application(chip: SimulatedCard, door: Door) -> Application:
    return chip.memory.applications[1 if chip.kind is Kind.NTAG424 else int.from_bytes(door.keys.aid, "little")]


def mark_file(chip: SimulatedCard, door: Door) -> DataFile:
    return application(chip, door).files[2]


def mark_of(chip: SimulatedCard, door: Door) -> tuple[int | None, ...]:
    return unpack_mark(mark_file(chip, door).data[2 if chip.kind is Kind.NTAG424 else 0 :][: 2 * PLACE_BYTES])


def name(chip: SimulatedCard, door: Door, place: int, data: bytes) -> None:
    """Let a place of the mark hold `data`."""
    file, at = mark_file(chip, door), place * PLACE_BYTES + (2 if chip.kind is Kind.NTAG424 else 0)
    file.data = file.data[:at] + data + file.data[at + PLACE_BYTES :]


def pulled(door: Door, chip: SimulatedCard, serial: int, commands: int, *, lost: bool) -> Added | Reason | None:
    """One adding from which the card is pulled away after so many answers; None if it was."""
    chip.reset()
    chip.pull_away_after(commands, answer_lost=lost)
    try:
        return door.run(adding(UID, door.keys, serial, door.draw), chip.process)
    except CardGone:
        return None


def refusals(door: Door) -> int:
    """How often the card said, in the exchange just ended, that it does not know the key."""
    return sum(told == WRONG_KEY for told in door.told)


# ---- who knew a key of the card before


def three_cards(door: Door, kind: Kind) -> tuple[Added, SimulatedCard, SimulatedCard]:
    """A neighbour's attack: what the door added in the end, the genuine card, and the neighbour's emulated one.

    The neighbour adds an emulated card of the number of a blank card, so is told a key; cancels it; and gives the blank
    card that key and its serial, by the commands by which the door would have done it. Then the blank card is added.
    """
    emulated = blank(kind)
    assert isinstance(door.add(emulated), Added)
    genuine = twin(emulated)
    added = door.add(genuine)
    assert isinstance(added, Added)
    return added, genuine, emulated


@chips
def test_a_neighbour_who_prepared_a_card_with_a_key_they_know_does_not_open_as_it(kind: Kind) -> None:
    door = Door()
    added, genuine, emulated = three_cards(door, kind)
    emulated.reset()
    assert door.open(added.card, emulated.process).reason is Reason.UNKNOWN_KEY
    genuine.reset()
    assert door.open(added.card, genuine.process).opens
    assert application(genuine, door).keys[0].value != application(emulated, door).keys[0].value


@chips
def test_the_neighbour_opens_if_a_card_keeps_the_serial_it_came_with(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: a card that has a key of this door keeps it."""
    real = exchange._add

    def keeps(uid: bytes, keys: CardKeys, serial: int, draw: Draw) -> Steps[Added]:
        card_kind = yield from kind_of(uid)
        chip = exchange._chip(card_kind, keys)
        mark = (yield from chip.mark()) if (yield from chip.enter()) else None
        named = next((one for one in unpack_mark(mark or b"") if one is not None), None)
        if named is None:
            return (yield from real(uid, keys, serial, draw))
        session = yield from chip.authenticate(keys.key(card_kind, uid, named), draw)
        told = yield from chip.read(session, named)
        assert told is not None
        yield from chip.write(session, named, told + 1)
        return Added(Registered(card_kind, uid, named), Kept(told + 1, pending=True))

    monkeypatch.setattr(exchange, "_add", keeps)
    door = Door()
    added, _, emulated = three_cards(door, kind)
    emulated.reset()
    assert door.open(added.card, emulated.process).opens


@chips
def test_no_copy_of_a_card_from_before_opens_after_it_was_added_again(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    copies = [twin(chip)]
    for _ in range(3):
        chip.reset()
        assert door.open(card, chip.process).opens
        copies.append(twin(chip))
    added = door.add(chip)
    assert isinstance(added, Added)
    for copy in copies:
        assert door.open(added.card, copy.process).reason is Reason.UNKNOWN_KEY
    chip.reset()
    assert door.open(added.card, chip.process).opens


@chips
def test_a_card_that_names_the_serial_it_is_about_to_get_is_not_tried_with_its_key(kind: Kind) -> None:
    door = Door()
    _, chip = door.resident(kind, serial=5)
    before = encode(chip.memory)
    assert door.add(chip, serial=5) is Reason.UNKNOWN_KEY
    assert encode(chip.memory) == before


# ---- pulled away, killed, torn


@pytest.mark.exhaustive(2)
@chips
@pytest.mark.parametrize("lost", [False, True])
def test_a_card_in_use_that_is_pulled_away_at_any_moment_of_adding_is_finished_when_added_again(
    kind: Kind, *, lost: bool
) -> None:
    """To the card a door that is killed is one that takes no further answer."""
    for commands in range(MOST_STEPS):
        door = Door()
        card, chip = door.resident(kind)
        if isinstance(pulled(door, chip, 78, commands, lost=lost), Added):
            assert commands > 10
            return
        before = door.kept
        chip.reset()
        still = door.open(card, chip.process)
        assert still.opens == (application(chip, door).keys[0].value == door.keys.key(card.kind, UID, 77))
        assert still.opens or door.kept == before
        added = door.add(chip, 79)
        assert isinstance(added, Added)
        assert added.card.serial == 79
        chip.reset()
        assert door.open(added.card, chip.process).opens
    pytest.fail("adding takes longer than it may")


@pytest.mark.slow
@given(
    st.sampled_from(CHIPS),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 22), st.booleans()), min_size=2, max_size=6),
)
@settings(deadline=None, max_examples=120)
def test_however_often_a_card_is_pulled_away_its_mark_names_its_key(
    kind: Kind, used: bool, pulls: list[tuple[int, bool]]
) -> None:
    door, chip = Door(), blank(kind)
    if used:
        _, chip = door.resident(kind)
    for serial, (commands, lost) in enumerate(pulls, 100):
        ended = pulled(door, chip, serial, commands, lost=lost)
        assert ended is None or isinstance(ended, Added)
        assert refusals(door) <= 1
        assert door.steps < MOST_STEPS
    added = door.add(chip)
    assert isinstance(added, Added)
    assert added.card.serial in mark_of(chip, door)
    chip.reset()
    assert door.open(added.card, chip.process).opens


@pytest.mark.exhaustive(1)
@chips
def test_a_card_is_lost_if_its_one_place_is_overwritten_before_the_key_is_there(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: the mark forgets the serial that is being left."""

    def ends(door: Door) -> set[bool]:
        """Whether it could be added again, for each moment at which it was pulled away."""
        found = set()
        for commands in range(22):
            _, chip = door.resident(kind, next(door.fresh))
            pulled(door, chip, next(door.fresh), commands, lost=False)
            found.add(isinstance(door.add(chip), Added))
        return found

    assert ends(Door()) == {True}
    monkeypatch.setattr(exchange, "PLACES", 1)  # so that each serial goes to the first place
    assert ends(Door()) == {True, False}


@pytest.mark.exhaustive(8)
@chips
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("torn", [b"\xff" * 8, bytes(8), pack_place(4)[:6] + b"\xff\xff"])
def test_a_torn_place_of_the_mark_loses_no_card(kind: Kind, times: int, torn: bytes) -> None:
    """The place that a further adding would write is the only one that can be torn."""
    door, chip = Door(), blank(kind)
    for _ in range(times - 1):
        assert isinstance(door.add(chip), Added)
    added = door.add(chip)
    assert isinstance(added, Added)
    current = mark_of(chip, door).index(added.card.serial)
    name(chip, door, 1 - current, torn)
    chip.reset()
    assert door.open(added.card, chip.process).opens
    again = door.add(chip)
    assert isinstance(again, Added)
    assert mark_of(chip, door) == tuple(
        again.card.serial if place != current else added.card.serial for place in range(2)
    )


# ---- how much it costs


@chips
def test_a_card_that_is_added_over_and_over_costs_at_most_one_failed_authentication(kind: Kind) -> None:
    door, chip = Door(), blank(kind)
    for _ in range(6):
        assert isinstance(door.add(chip), Added)
        assert refusals(door) <= 1


@chips
@pytest.mark.parametrize("factory", [False, True])
def test_a_card_that_names_two_wrong_serials_is_tried_with_three_keys_and_no_more(kind: Kind, *, factory: bool) -> None:
    door = Door()
    _, chip = door.resident(kind)
    name(chip, door, 0, pack_place(501))
    name(chip, door, 1, pack_place(502))
    if factory:
        keys = application(chip, door).keys
        keys[0] = dataclasses.replace(keys[0], value=FACTORY_KEY)
    ended = door.add(chip)
    assert isinstance(ended, Added) == factory
    assert refusals(door) == (2 if factory else 3)
    assert door.steps < MOST_STEPS
    assert max(map(len, door.sent)) <= MAX_APDU


@chips
def test_a_card_that_another_door_knows_stays_as_it_is_whatever_its_mark_says(kind: Kind) -> None:
    theirs = Door(keys=CardKeys(bytes(16), DOOR))
    _, chip = theirs.resident(kind)
    name(chip, theirs, 1, pack_place(502))
    before = encode(chip.memory)
    assert Door().add(chip) is Reason.UNKNOWN_KEY
    assert encode(chip.memory) == before
