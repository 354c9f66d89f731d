"""What a card's own words mean: which answers are answers, which cards are known by name, and who knows no such key."""

from __future__ import annotations

import pytest

from device.keeper.cards.exchange import Added, adding
from device.keeper.cards.registered import CardKind
from device.keeper.cards.steps import MOST_ANSWER_BYTES, Answer, CardRefused, Reason, Transmit, transmit
from device.keeper.cards.version import kind_of
from tests.unit.keeper.cards.bench import CHIPS, UID, Door, Process, blank
from tools.simulator.cards.memory import Kind

CHALLENGES = (0x71, 0xAA)  # AuthenticateEV2First and AuthenticateAES


def answered(told: bytes | None) -> Answer:
    """What `transmit` makes of it. Raises CardRefused."""
    steps = transmit(b"\x90")
    assert next(steps) == Transmit(b"\x90")
    try:
        steps.send(told)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    pytest.fail("one command, one answer")


@pytest.mark.parametrize("told", [None, b"", b"\x91", bytes(MOST_ANSWER_BYTES + 1)])
def test_what_is_too_short_or_too_long_for_an_answer_makes_no_sense(told: bytes | None) -> None:
    with pytest.raises(CardRefused) as refused:
        answered(told)
    assert refused.value.reason is Reason.GARBLED


def test_the_shortest_and_the_longest_answer_are_read() -> None:
    assert answered(b"\x91\x00") == Answer(b"", 0x9100)
    assert answered(bytes(MOST_ANSWER_BYTES - 2) + b"\x91\xaf") == Answer(bytes(256), 0x91AF)


# ---- cards by name

VERSIONS = {
    Kind.DESFIRE_EV1: CardKind.DESFIRE_EV1,
    Kind.DESFIRE_EV2: CardKind.DESFIRE_EV2,
    Kind.NTAG424: CardKind.NTAG_424,
}
VENDOR, PRODUCT, MAJOR = 0, 1, 3


def with_hardware(process: Process, at: int, value: int) -> Process:
    """A card that tells another byte `at` of what it is."""

    def answer(apdu: bytes) -> bytes:
        told = process(apdu)
        return told[:at] + bytes((value,)) + told[at + 1 :] if apdu[1] == 0x60 else told

    return answer


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
@pytest.mark.parametrize(("at", "value"), [(VENDOR, 0x05), (PRODUCT, 0x7F), (MAJOR, 0x7F)])
def test_a_card_of_another_maker_or_kind_is_asked_for_nothing_more_than_its_name(
    kind: Kind, at: int, value: int
) -> None:
    door, chip = Door(), blank(kind)
    assert door.run(kind_of(UID), chip.process) is VERSIONS[kind]
    chip.reset()
    ended = door.run(adding(UID, door.keys, 3, door.draw), with_hardware(chip.process, at, value))
    assert ended is Reason.UNKNOWN_KIND
    assert len(door.sent) == 3


# ---- no such key


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
def test_a_card_that_refuses_to_begin_with_a_key_does_not_know_it(kind: Kind) -> None:
    door = Door()
    card, chip = door.resident(kind)
    refusing = refused_challenges(chip.process, 1)
    assert door.open(card, refusing).reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)
def test_a_card_that_refuses_every_key_is_tried_with_those_it_names_and_the_factorys(kind: Kind) -> None:
    door = Door()
    _, chip = door.resident(kind, serial=5)
    assert isinstance(door.add(chip, serial=6), Added)  # now it names both
    chip.reset()
    ended = door.run(adding(UID, door.keys, 7, door.draw), refused_challenges(chip.process, 9))
    assert ended is Reason.UNKNOWN_KEY
    assert sum(apdu[1] in CHALLENGES for apdu in door.sent) == 3


def refused_challenges(process: Process, many: int) -> Process:
    """A card that answers the first `many` challenges with "no such key"."""
    left = many

    def answer(apdu: bytes) -> bytes:
        nonlocal left
        if apdu[1] in CHALLENGES and left:
            left -= 1
            return bytes.fromhex("9140")
        return process(apdu)

    return answer
