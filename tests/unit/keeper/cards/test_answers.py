"""Whatever a card answers: no crash, no door, and an end."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.keeper.cards.counters import Kept
from device.keeper.cards.exchange import MOST_STEPS, Added, adding, opening, uid_of
from device.keeper.cards.registered import CardKind, Registered
from device.keeper.cards.steps import Reason
from tests.unit.keeper.cards.bench import CHIPS, UID, Door, Process, blank, played
from tools.simulator.cards.memory import Kind

STATUSES = [bytes.fromhex(word) for word in ("9100", "91af", "91ae", "91a0", "91f0", "91de", "9000", "6a82", "6700")]
PLAUSIBLE = st.builds(
    lambda data, status: data + status,
    st.sampled_from((0, 7, 8, 10, 14, 16, 24, 32, 40, 56)).flatmap(
        lambda size: st.binary(min_size=size, max_size=size)
    ),
    st.sampled_from(STATUSES),
)
ANSWERS = st.one_of(PLAUSIBLE, st.binary(max_size=300))


@pytest.mark.slow
@given(st.sampled_from(tuple(CardKind)), st.lists(ANSWERS, max_size=MOST_STEPS), st.booleans())
@settings(deadline=None, max_examples=150)
def test_no_answers_open_or_crash_an_opening(kind: CardKind, answers: list[bytes], pending: bool) -> None:
    door = Door(kept=Kept(1, pending))
    ended = door.run(opening(Registered(kind, UID, 3), door.keys, door.kept, door.draw), played(answers))
    assert not ended.opens
    assert ended.settle is None
    assert ended.reason is not None
    assert door.steps <= MOST_STEPS


@pytest.mark.slow
@given(st.lists(ANSWERS, max_size=MOST_STEPS))
@settings(deadline=None, max_examples=150)
def test_no_answers_crash_adding_or_pass_for_a_card(answers: list[bytes]) -> None:
    door = Door()
    assert isinstance(door.run(adding(UID, door.keys, 3, door.draw), played(answers)), Reason)
    assert door.steps <= MOST_STEPS


@given(ANSWERS)
@settings(deadline=None, max_examples=50)
def test_a_number_is_only_what_a_reader_gives_as_one(answer: bytes) -> None:
    uid = Door().run(uid_of(), played([answer]))
    assert (uid is None) == (len(answer) not in {6, 9, 12} or not answer.endswith(b"\x90\x00"))


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
def test_an_answer_that_was_changed_anywhere_opens_nothing(kind: Kind) -> None:
    """Each answer of a good opening in turn: a bit turned, cut short, made longer, or left out."""
    noise = random.Random(4)
    for at in range(5 if kind is Kind.NTAG424 else 6):
        for change in ("turn", "turn", "turn", "cut", "grow", "empty", "status"):
            door = Door()
            card, chip = door.resident(kind)
            ended = door.open(card, disturbed(chip.process, at, partial(changed, how=change, noise=noise)))
            assert not ended.opens, (at, change)
            assert ended.reason


def disturbed(process: Process, at: int, change: Callable[[bytes], bytes]) -> Process:
    """A card whose answer number `at` arrives changed."""
    calls = itertools.count()

    def answer(apdu: bytes) -> bytes:
        told = process(apdu)
        return change(told) if next(calls) == at else told

    return answer


def changed(told: bytes, how: str, noise: random.Random) -> bytes:
    if how == "turn":
        where = noise.randrange(len(told))
        return told[:where] + bytes((told[where] ^ 1 << noise.randrange(8),)) + told[where + 1 :]
    return {"cut": told[1:], "grow": b"\0" + told, "empty": b"", "status": told[:-1] + b"\xae"}[how]


@pytest.mark.slow
@given(st.sampled_from(CHIPS), st.integers(0, MOST_STEPS), ANSWERS)
@settings(deadline=None, max_examples=120)
def test_adding_that_was_disturbed_anywhere_leaves_a_card_that_can_be_added(kind: Kind, at: int, answer: bytes) -> None:
    door, chip = Door(), blank(kind)
    ended = door.run(adding(UID, door.keys, 3, door.draw), disturbed(chip.process, at, lambda _told: answer))
    assert isinstance(ended, Reason | Added)
    assert door.steps <= MOST_STEPS
    again = door.add(chip, serial=4)
    assert isinstance(again, Added)
    chip.reset()
    assert door.open(again.card, chip.process).opens


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
def test_a_card_that_answers_nonsense_is_not_tried_with_another_key(kind: Kind) -> None:
    door = Door()
    _, chip = door.resident(kind)
    challenge = 5  # after the version, the application and the mark
    process = disturbed(chip.process, challenge, lambda told: b"\0" + told)
    assert door.run(adding(UID, door.keys, 9, door.draw), process) is Reason.GARBLED
    assert len(door.sent) == challenge + 1
