"""Exchanges with cards through the whole keeper: whose card, one answer each, and what is durable before it."""

from __future__ import annotations

import copy
import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from device import wire
from device.edges import Room
from device.errors import NotPermitted, StoreFault
from device.keeper.card_talk import ADD_S, CardTalk
from device.keeper.cards.counters import Counters, Kept
from device.keeper.cards.registered import MOST_CARDS, unpack
from device.keeper.line import WAITING
from device.wire import CardChange, Outcome
from tests.unit.keeper.bench import DURESS, INVITATION, PIN, Door
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.cards.status import CardGone

CHIPS = (Kind.DESFIRE_EV1, Kind.DESFIRE_EV2, Kind.NTAG424)
THEIR_PIN = "730158"
REFUSED = ("refused", 0)


def new(kind: Kind = Kind.NTAG424) -> SimulatedCard:
    return SimulatedCard.new(kind)


@dataclass
class Reader:
    """A door with a reader, driven message by message."""

    door: Door
    said: list[wire.Message] = field(default_factory=list)

    def begins(self) -> bytes:
        """A card is shown; the nonce of the exchange."""
        nonce = self.door.nonce()
        self.door.say(wire.CardShown(nonce))
        return nonce

    def answers(self, card: SimulatedCard) -> list[wire.Message]:
        """The card answers until nothing is asked of it; what else lock was sent."""
        ends: list[wire.Message] = []
        while True:
            self.door.worker.run()
            told = self.door.house.to(Room.LOCK)
            if not told:
                return ends
            for msg in told:
                self.said.append(msg)
                if isinstance(msg, wire.CardCommand):
                    self._pass(card, msg)
                else:
                    ends.append(msg)

    def _pass(self, card: SimulatedCard, command: wire.CardCommand) -> None:
        try:
            self.door.say(wire.CardAnswer(command.nonce, card.process(command.apdu)))
        except CardGone:
            self.door.say(wire.CardGone(command.nonce))

    def tap(self, card: SimulatedCard) -> tuple[str, int]:
        """Show it, and hear the one end: ("opens", slot), ("added", 0) or refused."""
        card.reset()
        nonce = self.begins()
        (end,) = self.answers(card)
        assert getattr(end, "nonce", b"") == nonce
        match end:
            case wire.Verdict(_, _, Outcome.ACCEPTED, slot):
                return "opens", slot
            case wire.Answer(_, Outcome.ACCEPTED):
                return "added", 0
            case wire.Verdict(_, _, Outcome.REFUSED, wire.NOBODY) | wire.Answer(_, Outcome.REFUSED):
                return REFUSED
        pytest.fail(f"{end} is no end of an exchange")

    def change(self, change: CardChange, digits: str = PIN, slot: int = 12) -> Outcome:
        answer = self.door.ask(wire.ChangeCards(self.door.nonce(), change, slot, digits))
        assert isinstance(answer, wire.Answer)
        return answer.outcome

    def add(self, card: SimulatedCard, slot: int = 12, pin: str = PIN) -> tuple[str, int]:
        assert self.change(CardChange.ADD, pin, slot) is Outcome.ACCEPTED
        return self.tap(card)

    def added(self, kind: Kind = Kind.NTAG424, slot: int = 12, pin: str = PIN) -> SimulatedCard:
        card = new(kind)
        assert self.add(card, slot, pin) == ("added", 0)
        return card

    @property
    def talk(self) -> CardTalk:
        talk = self.door.keeper._cards
        assert isinstance(talk, CardTalk)
        return talk


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    door = Door(tmp_path / "keeper", reader=True)
    door.move_in()
    yield Reader(door)
    door.guard.file.close()
    door.keeper._cards.close()


# ---- whose card


@pytest.mark.parametrize("kind", CHIPS)
def test_a_card_opens_for_the_slot_it_was_added_for_and_after_a_restart(reader: Reader, kind: Kind) -> None:
    card = new(kind)
    assert reader.tap(card) == REFUSED
    assert reader.add(card) == ("added", 0)
    assert reader.tap(card) == ("opens", 12)
    reader.door.boot()
    assert reader.tap(card) == ("opens", 12)


def test_of_two_neighbours_each_opens_for_themselves(reader: Reader) -> None:
    reader.door.move_in(7, THEIR_PIN)
    mine, theirs = reader.added(), reader.added(slot=7, pin=THEIR_PIN)
    assert reader.tap(mine) == ("opens", 12)
    assert reader.tap(theirs) == ("opens", 7)


@pytest.mark.parametrize("digits", ["905217", INVITATION])
def test_without_the_pin_no_card_is_added_or_cancelled(reader: Reader, digits: str) -> None:
    card = reader.added()
    for change in CardChange:
        assert reader.change(change, digits) is Outcome.REFUSED
    assert reader.tap(new()) == REFUSED
    assert reader.tap(card) == ("opens", 12)


def test_an_invitation_alone_adds_no_card(reader: Reader) -> None:
    reader.door.invite(13)
    assert reader.change(CardChange.ADD, INVITATION, 13) is Outcome.REFUSED


def test_a_duress_pin_adds_alike_and_says_so_to_lock(reader: Reader) -> None:
    assert reader.door.set_secret(wire.Secret.DURESS, PIN, DURESS) is Outcome.ACCEPTED
    assert reader.change(CardChange.ADD, DURESS) is Outcome.DURESS
    assert reader.tap(new()) == ("added", 0)


def test_a_card_is_added_within_a_minute_of_the_pin_or_not_at_all(reader: Reader) -> None:
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.door.wait(ADD_S)
    assert reader.tap(new()) == REFUSED


def test_one_pin_adds_one_card(reader: Reader) -> None:
    assert reader.add(new()) == ("added", 0)
    assert reader.tap(new()) == REFUSED


@pytest.mark.parametrize("kind", CHIPS)
def test_nobody_takes_over_a_neighbours_card_by_adding_it(reader: Reader, kind: Kind) -> None:
    reader.door.move_in(7, THEIR_PIN)
    theirs = reader.added(kind, 7, THEIR_PIN)
    assert reader.add(theirs) == ("opens", 7)
    assert reader.tap(theirs) == ("opens", 7)


def test_who_pretends_to_be_a_neighbours_card_while_adding_one_gets_nothing(reader: Reader) -> None:
    reader.door.move_in(7, THEIR_PIN)
    theirs = reader.added(slot=7, pin=THEIR_PIN)
    pretender = SimulatedCard.new(Kind.NTAG424, theirs.uid)
    assert reader.add(pretender) == REFUSED
    assert reader.tap(theirs) == ("opens", 7)


def test_a_slot_has_so_many_cards_and_no_more(reader: Reader) -> None:
    cards = [reader.added() for _ in range(MOST_CARDS)]
    assert reader.add(new()) == REFUSED
    assert [reader.tap(card) for card in cards] == [("opens", 12)] * MOST_CARDS


def test_a_card_that_is_added_again_takes_no_second_place(reader: Reader) -> None:
    card = reader.added()
    assert reader.add(card) == ("added", 0)
    held = reader.door.guard.book.held(12)
    assert held
    assert len(unpack(held.cards)) == 1
    assert reader.tap(card) == ("opens", 12)


# ---- when it ends


@pytest.mark.parametrize("kind", CHIPS)
def test_cancelled_cards_open_nothing_and_leave_no_counter(reader: Reader, kind: Kind) -> None:
    card = reader.added(kind)
    assert reader.change(CardChange.CANCEL_ALL) is Outcome.ACCEPTED
    assert reader.tap(card) == REFUSED
    assert reader.talk.serials() == ()
    assert not reader.talk.counters._cards
    assert reader.add(card) == ("added", 0)


def test_a_changed_pin_keeps_the_cards_and_a_new_offer_ends_them(reader: Reader) -> None:
    card = reader.added()
    assert reader.door.set_pin(PIN, "605817", proof=wire.Proof.PIN)
    assert reader.tap(card) == ("opens", 12)
    reader.door.invite(serial=2)
    assert reader.tap(card) == REFUSED
    reader.door.set_pin(INVITATION, "271845")
    assert reader.tap(card) == REFUSED


def test_a_card_ends_with_its_tenancy(reader: Reader) -> None:
    reader.door.move_in(8, THEIR_PIN, ends=int(reader.door.unix_s) + 3600)
    card = reader.added(slot=8, pin=THEIR_PIN)
    assert reader.tap(card) == ("opens", 8)
    reader.door.wait(3600)
    assert reader.tap(card) == REFUSED


def test_a_card_that_is_cancelled_while_it_is_read_opens_nothing(reader: Reader) -> None:
    card = reader.added()
    reader.begins()
    told = reader.door.house.to(Room.LOCK)
    assert isinstance(told[-1], wire.CardCommand)
    reader.talk.drop(12)
    reader.door.worker.run()
    command = told[-1]
    reader.door.say(wire.CardAnswer(command.nonce, card.process(command.apdu)))
    (end,) = reader.answers(card)
    assert isinstance(end, wire.Verdict)
    assert end.outcome is Outcome.REFUSED


def test_a_card_opened_for_a_slot_that_changed_meanwhile_if_nobody_looked_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: the record is looked at when the exchange begins, and not when it ends."""
    card = reader.added()
    holder = reader.talk.holder(card.uid)
    assert holder
    monkeypatch.setattr(CardTalk, "holder", lambda *_: holder)
    assert reader.change(CardChange.CANCEL_ALL) is Outcome.ACCEPTED
    reader.talk.counters.keep(holder.card.serial, Kept(1, pending=False))
    assert reader.tap(card) == ("opens", 12)


# ---- one exchange, one answer


def test_pulled_away_at_any_moment_it_is_refused_once_and_goes_on(reader: Reader) -> None:
    card = reader.added()
    for answers in range(5):
        card.reset()
        card.pull_away_after(answers)
        reader.begins()
        ends = reader.answers(card)
        assert [type(end) for end in ends] == [wire.Verdict]
    card.reset()
    assert reader.tap(card) == ("opens", 12)


def test_answers_to_an_exchange_that_is_over_are_late_and_heard_by_nobody(reader: Reader) -> None:
    card = reader.added()
    assert reader.tap(card) == ("opens", 12)
    over = reader.begins()
    reader.door.say(wire.CardGone(over))
    reader.door.house.to(Room.LOCK)
    reader.door.say(wire.CardAnswer(over, bytes.fromhex("9000")))
    reader.door.say(wire.CardGone(over))
    reader.door.worker.run()
    assert reader.door.house.to(Room.LOCK) == []


def test_a_nonce_names_one_exchange(reader: Reader) -> None:
    nonce = reader.begins()
    with pytest.raises(NotPermitted, match="twice"):
        reader.door.say(wire.CardShown(nonce))


def test_lock_gone_means_that_the_exchange_is_gone(reader: Reader) -> None:
    card = reader.added()
    reader.begins()
    (command,) = reader.door.house.to(Room.LOCK)
    assert isinstance(command, wire.CardCommand)
    reader.door.go(Room.LOCK)
    reader.door.come(Room.LOCK)
    reader.door.say(wire.CardAnswer(command.nonce, card.process(command.apdu)))
    reader.door.worker.run()
    assert reader.door.house.to(Room.LOCK) == []
    assert reader.tap(card) == ("opens", 12)


def test_a_card_waits_behind_a_pin_and_both_are_answered(reader: Reader) -> None:
    card = reader.added()
    reader.door.say(wire.CheckPin(reader.door.nonce(), 12, PIN, reader.door.day))
    reader.begins()
    ends = reader.answers(card)
    assert [(type(end), end.outcome) for end in ends if isinstance(end, wire.Verdict)] == [
        (wire.Verdict, Outcome.ACCEPTED),
        (wire.Verdict, Outcome.ACCEPTED),
    ]


def test_a_card_in_front_of_a_full_line_is_refused_and_opens_afterwards(reader: Reader) -> None:
    card = reader.added()
    for _ in range(WAITING + 1):
        reader.door.say(wire.CheckPin(reader.door.nonce(), 12, "905217", reader.door.day))
    reader.begins()
    while (told := reader.door.house.to(Room.LOCK)) and isinstance(command := told[-1], wire.CardCommand):
        reader.door.say(wire.CardAnswer(command.nonce, card.process(command.apdu)))
    (end,) = told
    assert isinstance(end, wire.Verdict)
    assert end.outcome is Outcome.REFUSED
    reader.door.worker.run()
    reader.door.house.to(Room.LOCK)
    card.reset()
    assert reader.tap(card) == ("opens", 12)


def test_wrong_pins_keep_no_card_out(reader: Reader) -> None:
    card = reader.added()
    for _ in range(5):
        reader.door.type_in("905217")
    assert not reader.door.type_in(PIN)
    assert reader.tap(card) == ("opens", 12)


# ---- durable first


@pytest.mark.parametrize("kind", CHIPS)
def test_of_a_card_and_its_copy_the_second_is_refused_also_after_a_restart(reader: Reader, kind: Kind) -> None:
    card = reader.added(kind)
    twin = SimulatedCard(copy.deepcopy(card.memory))
    assert reader.tap(card) == ("opens", 12)
    reader.door.boot()
    assert reader.tap(twin) == REFUSED


def on_a_full_disk(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> Any:
    """What `work` gives while nothing can be written."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        return work()


def test_a_counter_that_cannot_be_kept_opens_nothing_and_loses_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = reader.added()
    assert on_a_full_disk(monkeypatch, lambda: reader.tap(card)) == REFUSED
    assert reader.tap(card) == ("opens", 12)


def test_a_card_whose_record_cannot_be_kept_is_not_added_and_can_be_later(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = new()

    def refuses(*_: object) -> None:
        msg = "the disk is full"
        raise StoreFault(msg)

    with monkeypatch.context() as patch:
        patch.setattr(type(reader.door.guard.book), "keep", refuses)
        assert reader.add(card) == REFUSED
    assert reader.tap(card) == ("added", 0), "the minute is not over"
    assert reader.tap(card) == ("opens", 12)


def test_without_the_file_of_counters_no_card_opens_until_it_is_added_again(reader: Reader) -> None:
    card = reader.added()
    reader.talk.close()
    (reader.door.state / "cards").unlink()
    reader.door.boot()
    assert reader.tap(card) == REFUSED
    assert reader.add(card) == ("added", 0)
    assert reader.tap(card) == ("opens", 12)


def test_a_copy_opens_if_the_counter_is_told_to_the_card_before_keeper_has_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: nothing of the counter survives a power cut, and the copy passes for the card."""
    card = reader.added()
    twin = SimulatedCard(copy.deepcopy(card.memory))
    with monkeypatch.context() as patch:
        patch.setattr(Counters, "keep", lambda *_: None)
        assert reader.tap(card) == ("opens", 12)
    reader.door.boot()
    assert reader.tap(twin) == ("opens", 12)


# ---- what it says


def test_the_journal_says_why_and_never_whose_or_which(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    card = reader.added()
    reader.tap(SimulatedCard.new(Kind.NTAG424, card.uid))
    reader.tap(new(Kind.UID_ONLY))
    reader.tap(card)
    told = capsys.readouterr().err
    assert "does not know the key" in told
    assert card.uid.hex() not in told
    assert "12" not in told


def test_every_refusal_is_the_same_message(reader: Reader) -> None:
    reader.added()
    refusals = set()
    for card in (new(), new(Kind.UID_ONLY), new(Kind.DESFIRE_EV1)):
        nonce = reader.begins()
        (end,) = reader.answers(card)
        assert isinstance(end, wire.Verdict)
        refusals.add(wire.pack(end).replace(nonce, b""))
    assert len(refusals) == 1
