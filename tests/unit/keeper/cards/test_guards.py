"""Each guard taken out in turn: then somebody gets in who must not, and the tests beside this one say so."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from device.keeper.cards import ev1, ev2, exchange, session
from device.keeper.cards.counters import Kept
from device.keeper.cards.diversify import CardKeys
from device.keeper.cards.registered import Registered
from device.keeper.cards.steps import Keep, Reason, Steps
from tests.unit.keeper.cards.bench import CHIPS, Door, Process, played
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.cards.status import CardGone
from tools.simulator.cards.store import decode, encode

chips = pytest.mark.parametrize("kind", CHIPS, ids=lambda kind: kind.value)


def believe(patch: pytest.MonkeyPatch) -> None:
    """Compare nothing."""
    for module in (ev1, ev2, session):
        patch.setattr(module, "same", lambda _one, _other: True)


def twist_last_of_authentication(process: Process) -> Process:
    """A card that answers the right length at the end of authentication, and the wrong thing."""

    def answer(apdu: bytes) -> bytes:
        told = process(apdu)
        return bytes(len(told) - 2) + told[-2:] if apdu[:2] == b"\x90\xaf" else told

    return answer


@chips
def test_a_card_that_cannot_turn_our_number_is_caught_by_that_alone(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door()
    card, chip = door.resident(kind)
    before = encode(chip.memory)
    assert door.open(card, twist_last_of_authentication(chip.process)).reason is Reason.UNKNOWN_KEY
    sent = len(door.sent)
    assert encode(chip.memory) == before
    chip.reset()
    believe(monkeypatch)
    door.open(card, twist_last_of_authentication(chip.process))
    assert len(door.sent) > sent  # without the comparison the door goes on talking


@chips
def test_an_answer_with_a_wrong_mac_opens_if_macs_are_not_checked(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def forged(process: Process) -> Process:
        """The confirmation that the card wrote the counter, forged; the card itself never got the command."""
        calls = itertools.count()

        def answer(apdu: bytes) -> bytes:
            return process(apdu) if next(calls) < 4 else bytes(8) + b"\x91\x00"  # selected, proven, read

        return answer

    door = Door()
    card, chip = door.resident(kind)
    assert door.open(card, forged(chip.process)).reason is Reason.GARBLED
    chip.reset()
    assert door.open(card, chip.process).opens
    chip.reset()
    believe(monkeypatch)
    assert door.open(card, forged(chip.process)).opens


@chips
def test_a_copy_opens_if_the_counter_is_not_compared(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    card, chip = door.resident(kind)
    copy = SimulatedCard(decode(encode(chip.memory)))
    assert door.open(card, chip.process).opens
    assert not door.open(card, copy.process).opens
    monkeypatch.setattr(exchange, "_believed", lambda told, _kept: told)
    copy.reset()
    assert door.open(card, copy.process).opens


@chips
def test_a_pulled_away_card_is_locked_out_if_the_counter_is_kept_only_after_writing(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_what: Keep) -> Steps[None]:
        yield from ()

    def pulled(door: Door) -> tuple[Registered, SimulatedCard]:
        card, chip = door.resident(kind)
        chip.pull_away_after(4 if kind is Kind.NTAG424 else 5, answer_lost=True)
        with pytest.raises(CardGone):
            door.open(card, chip.process)
        chip.reset()
        return card, chip

    door = Door()
    card, chip = pulled(door)
    assert door.open(card, chip.process).opens
    monkeypatch.setattr(exchange, "_keep", late)
    card, chip = pulled(door)
    assert door.open(card, chip.process).reason is Reason.AHEAD


@chips
def test_the_opened_chip_of_one_card_makes_another_if_the_number_is_no_part_of_the_key(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgery(door: Door) -> tuple[Registered, SimulatedCard]:
        """A card with the neighbour's number, and the key out of a chip of one's own."""
        neighbour, theirs = door.resident(kind, serial=5)
        memory = decode(encode(theirs.memory))
        mine = door.keys.key(neighbour.kind, b"\x04mychip", 5)
        application = memory.applications[1 if kind is Kind.NTAG424 else int.from_bytes(door.keys.aid, "little")]
        application.keys[0] = type(application.keys[0])(mine, 1)
        return neighbour, SimulatedCard(memory)

    door = Door()
    neighbour, forged = forgery(door)
    assert door.open(neighbour, forged.process).reason is Reason.UNKNOWN_KEY
    real = CardKeys.key
    monkeypatch.setattr(CardKeys, "key", lambda self, kind, _uid, serial: real(self, kind, bytes(7), serial))
    neighbour, forged = forgery(door)
    assert door.open(neighbour, forged.process).opens


@chips
def test_who_pretends_to_be_a_neighbours_card_while_adding_learns_its_key_if_the_serial_is_no_part_of_it(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stolen(door: Door) -> tuple[bytes, bytes]:
        """What key a chip with the neighbour's number was given, and the neighbour's."""
        neighbour, _ = door.resident(kind, serial=5)
        _, pretender = door.resident(kind, serial=6)
        number = 1 if kind is Kind.NTAG424 else int.from_bytes(door.keys.aid, "little")
        mine: bytes = pretender.memory.applications[number].keys[0].value
        return mine, door.keys.key(neighbour.kind, neighbour.uid, neighbour.serial)

    mine, theirs = stolen(Door())
    assert mine != theirs
    real = CardKeys.key
    monkeypatch.setattr(CardKeys, "key", lambda self, kind, uid, _serial: real(self, kind, uid, 1))
    mine, theirs = stolen(Door())
    assert mine == theirs


@chips
def test_what_was_heard_opens_again_if_the_doors_random_number_is_always_the_same(kind: Kind) -> None:
    def replayed(draw: Callable[[int], bytes]) -> bool:
        door = Door(draw=draw)
        card, chip = door.resident(kind)
        before = door.kept
        assert door.open(card, chip.process).opens
        door.kept, heard = before, list(door.told)  # the counter apart: this is about the session
        return door.open(card, played(heard)).opens

    assert not replayed(Door().draw)
    assert replayed(bytes)


def test_a_card_still_opens_one_count_behind_only_while_the_write_is_in_doubt() -> None:
    door = Door()
    card, chip = door.resident(Kind.DESFIRE_EV2)
    door.kept = Kept(2, pending=False)
    assert door.open(card, chip.process).reason is Reason.BEHIND
    door.kept = Kept(3, pending=True)
    chip.reset()
    assert door.open(card, chip.process).reason is Reason.BEHIND
    door.kept = Kept(2, pending=True)
    chip.reset()
    assert door.open(card, chip.process).opens


def test_no_reason_names_a_number() -> None:
    assert not any(any(letter.isdigit() for letter in reason.value) for reason in Reason)
