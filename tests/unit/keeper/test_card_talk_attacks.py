"""Enemies of the exchange with a card: what lock, a card, a disk or a neighbour can do at the wrong moment.

Each guard is also taken out once, to see that its test would notice.
"""

from __future__ import annotations

import copy
import errno
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import Fault
from device.keeper.card_talk import ADD_S, CardTalk
from device.keeper.cards.content import COUNTER_BYTES
from device.keeper.cards.counters import ROOM, Counters, Kept
from device.keeper.cards.exchange import MOST_STEPS
from device.keeper.cards.registered import unpack
from device.wire import CardChange, Outcome
from tests.unit.keeper.bench import INVITATION, PIN, Door
from tests.unit.keeper.test_card_cuts import again, close, until_the_cut
from tests.unit.keeper.test_card_talk import CHIPS, REFUSED, THEIR_PIN, Reader, new
from tools.simulator.cards.card import SimulatedCard
from tools.simulator.cards.memory import Kind
from tools.simulator.cards.status import CardGone

MOST_TURNS = 400  # of a life; an exchange has at most 32 steps


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    door = Door(tmp_path / "keeper", reader=True)
    door.move_in()
    door.move_in(7, THEIR_PIN)
    yield Reader(door)
    door.guard.file.close()
    door.keeper._cards.close()


def serials(reader: Reader, slot: int = 12) -> list[int]:
    held = reader.door.guard.book.held(slot)
    assert held
    return [card.serial for card in unpack(held.cards)]


def on_disk(reader: Reader) -> Counters:
    """The counters as a keeper would find them that starts now."""
    found = Counters(reader.door.state / "cards", reader.talk.counters._pages._key)
    found.load()
    found.close()
    return found


def counter_on(card: SimulatedCard) -> tuple[int, int]:
    """Serial and counter that stand on a card; of the two places of an NTAG the newer one."""
    data = [file.data for application in card.memory.applications.values() for file in application.files.values()]
    places = [part[at : at + COUNTER_BYTES] for part in data for at in (0, COUNTER_BYTES)]
    told = [(int.from_bytes(place[8:12], "little"), int.from_bytes(place[4:8], "little")) for place in places]
    counter, serial = max(one for one, place in zip(told, places, strict=True) if place.startswith(b"DWC"))
    return serial, counter


# ---- everything at once


@dataclass
class Life:
    """A lock that does everything at the wrong time, with honest cards; `reader.door.worker` runs when it likes."""

    reader: Reader
    dice: random.Random
    cards: list[SimulatedCard]
    shown: list[bytes] = field(default_factory=list)
    superseded: set[bytes] = field(default_factory=set)
    ends: Counter[bytes] = field(default_factory=Counter)
    opened: int = 0
    _card: SimulatedCard | None = None
    _owed: list[wire.CardCommand] = field(default_factory=list)
    _asked: int = 0

    def live(self, turns: int) -> None:
        acts = (self._show, self._answer, self._answer, self._answer, self._work, self._work, self._gone, self._late)
        rare = (self._pin, self._lock_again, self._stray)
        for _ in range(turns):
            self.dice.choice(acts if self.dice.random() < 0.93 else rare)()
            self._hear()
        for _ in range(MOST_TURNS):
            if not self._owed and self.reader.door.worker.todo is None:
                break
            self._answer()
            self._work()
            self._hear()

    def _show(self) -> None:
        if self.dice.random() < 0.7 and self.unended():
            return  # lock shows one at a time; now and then it gives one up
        self.superseded |= set(self.unended())
        self._owed.clear()
        self._card = self.dice.choice(self.cards)
        self._card.reset()
        self.shown.append(self.reader.begins())

    def _answer(self) -> None:
        if not self._owed or self._card is None:
            return
        command = self._owed.pop(0)
        try:
            self.reader.door.say(wire.CardAnswer(command.nonce, self._card.process(command.apdu)))
        except CardGone:
            self.reader.door.say(wire.CardGone(command.nonce))

    def _work(self) -> None:
        if self.reader.door.worker.todo:
            self.reader.door.worker.one()

    def _gone(self) -> None:
        if self.shown and self.dice.random() < 0.2:
            self._owed.clear()
            self.reader.door.say(wire.CardGone(self.shown[-1]))

    def _late(self) -> None:
        if len(self.shown) > 1:
            self.reader.door.say(wire.CardAnswer(self.shown[-2], bytes.fromhex("9100")))
            self.reader.door.say(wire.CardGone(self.shown[-2]))

    def _pin(self) -> None:
        digits = self.dice.choice((PIN, "905217"))
        self.reader.door.say(wire.CheckPin(self.reader.door.nonce(), 12, digits, self.reader.door.day))
        self._asked += 1

    def _lock_again(self) -> None:
        self.superseded |= set(self.unended())
        self._owed.clear()
        self.reader.door.go(Room.LOCK)
        self.reader.door.come(Room.LOCK)

    def _stray(self) -> None:
        """An answer that nobody asked for, while something is being written."""
        if self.shown and not self._owed:
            self.reader.door.say(wire.CardAnswer(self.shown[-1], bytes.fromhex("9100")))

    def _hear(self) -> None:
        for told in self.reader.door.house.to(Room.LOCK):
            if isinstance(told, wire.CardCommand):
                assert told.nonce == self.shown[-1], "keeper speaks to a card that is not there"
                self._owed.append(told)
                assert len(self._owed) == 1, "two commands at once"
            elif isinstance(told, wire.Verdict | wire.Answer) and told.nonce in self.shown:
                self.ends[told.nonce] += 1
                if isinstance(told, wire.Verdict) and told.outcome is Outcome.ACCEPTED:
                    self._opens(told)

    def _opens(self, verdict: wire.Verdict) -> None:
        self.opened += 1
        assert verdict.slot == 12
        assert self._card in self.cards
        card = next(card for card in self.cards if card is self._card)
        serial, counter = counter_on(card)
        kept = on_disk(self.reader).get(serial)
        assert kept is not None
        assert kept.counter == counter, "it opened, and the disk does not know the card's counter"

    def unended(self) -> list[bytes]:
        return [nonce for nonce in self.shown if not self.ends[nonce] and nonce not in self.superseded]


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_when_each_exchange_ends_once_and_no_card_is_lost(reader: Reader, seed: int) -> None:
    cards = [reader.added(CHIPS[seed % 3]), reader.added(CHIPS[(seed + 1) % 3])]
    life = Life(reader, random.Random(seed), cards)
    life.live(600)
    assert max(life.ends.values()) == 1, "an exchange has one end"
    assert life.unended() == [], "an exchange has an end"
    assert life.opened > 0
    reader.door.worker.run()
    reader.door.house.to(Room.LOCK)
    for card in cards:
        assert reader.tap(card) == ("opens", 12)
    reader.door.keeper._cards.close()
    reader.door.boot()
    for card in cards:
        assert reader.tap(card) == ("opens", 12)


def test_a_counter_that_is_kept_too_late_would_be_noticed(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: what is to be durable is only said to be."""
    life = Life(reader, random.Random(1), [reader.added()])
    monkeypatch.setattr(Counters, "keep", lambda *_: None)
    with pytest.raises(AssertionError, match="does not know"):
        life.live(600)


def test_an_exchange_that_ends_twice_would_be_noticed(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: a card that left is refused whether its exchange is over or not."""
    real = CardTalk.gone

    def twice(self: CardTalk, nonce: bytes) -> None:
        real(self, nonce)
        self.say(wire.Verdict(nonce, 0, Outcome.REFUSED, wire.NOBODY))

    life = Life(reader, random.Random(1), [reader.added()])
    monkeypatch.setattr(CardTalk, "gone", twice)
    life.live(600)
    assert max(life.ends.values()) > 1


# ---- cards that lie


class Babbler(SimulatedCard):
    """Gives `number` to the reader, and anything to everybody else."""

    def __init__(self, number: bytes, dice: random.Random) -> None:
        super().__init__(new().memory)
        self._number, self._dice = number, dice
        self.heard = 0

    def process(self, command: bytes) -> bytes:
        self.heard += 1
        if command.startswith(bytes.fromhex("ffca")):
            return self._number + bytes.fromhex("9000")
        size = self._dice.choice((0, 1, 2, 7, 14, 16, 18, 26, 32, 34, 40, 94))
        end = self._dice.choice((b"\x91\xaf", b"\x91\x00", b"\x90\x00", b"\x91\xa0", b"\x91\xf0", b""))
        return self._dice.randbytes(size) + end


def test_whatever_a_card_babbles_it_is_refused_soon_and_costs_nobody_a_counter(reader: Reader) -> None:
    card = reader.added(Kind.DESFIRE_EV2)
    before = on_disk(reader)._cards
    dice = random.Random(7)
    for each in range(150):
        babbler = Babbler(card.uid if each % 2 else b"\x04" + dice.randbytes(6), dice)
        if each % 3 == 0:
            reader.change(CardChange.ADD)
        assert reader.tap(babbler) == REFUSED
        assert babbler.heard <= MOST_STEPS
        reader.door.wait(ADD_S)
    assert on_disk(reader)._cards == before
    assert reader.tap(card) == ("opens", 12)


class Masked(SimulatedCard):
    """A card that shows the reader somebody else's number."""

    def __init__(self, behind: SimulatedCard, number: bytes) -> None:
        super().__init__(behind.memory)
        self._number = number

    def process(self, command: bytes) -> bytes:
        if command.startswith(bytes.fromhex("ffca")):
            return self._number + bytes.fromhex("9000")
        return super().process(command)


@pytest.mark.parametrize("kind", CHIPS)
def test_a_neighbours_number_in_front_of_my_own_card_opens_nothing_for_anybody(reader: Reader, kind: Kind) -> None:
    theirs, mine = reader.added(kind, 7, THEIR_PIN), reader.added(kind)
    before = on_disk(reader)._cards
    mask = Masked(mine, theirs.uid)
    assert reader.tap(mask) == REFUSED
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    assert reader.tap(mask) == REFUSED
    assert on_disk(reader)._cards == before
    assert reader.tap(theirs) == ("opens", 7)
    reader.door.wait(ADD_S)
    assert reader.tap(mine) == ("opens", 12)


@pytest.mark.parametrize("kind", CHIPS)
def test_a_card_that_shows_the_reader_another_number_than_its_own_is_not_added(reader: Reader, kind: Kind) -> None:
    mask = Masked(new(kind), b"\x04" + bytes(6))
    assert reader.add(mask) == REFUSED
    assert serials(reader) == []


@pytest.mark.parametrize("kind", CHIPS)
def test_a_mark_with_a_neighbours_serial_gets_neither_their_key_nor_their_counter(reader: Reader, kind: Kind) -> None:
    theirs = reader.added(kind, 7, THEIR_PIN)
    (wanted,) = serials(reader, 7)
    before = on_disk(reader).get(wanted)
    forger = SimulatedCard(copy.deepcopy(theirs.memory))
    forger.memory.uid = b"\x04" + bytes(5) + b"\x01"
    assert reader.add(forger) == REFUSED, "it names their serial and has their key, and another number"
    assert on_disk(reader).get(wanted) == before
    assert serials(reader) == []
    assert reader.tap(theirs) == ("opens", 7)


def test_a_card_of_the_tenant_before_is_the_next_ones_only_after_they_added_it(reader: Reader) -> None:
    card = reader.added()
    copied = SimulatedCard(copy.deepcopy(card.memory))
    reader.door.invite(serial=2)
    assert reader.door.set_pin(INVITATION, "271845")
    assert reader.tap(card) == REFUSED
    assert reader.add(card, pin="271845") == ("added", 0)
    assert reader.tap(card) == ("opens", 12)
    assert reader.tap(copied) == REFUSED


def test_no_number_stands_in_two_slots_however_it_is_added(reader: Reader) -> None:
    mine = reader.added()
    emulated = SimulatedCard.new(Kind.NTAG424, mine.uid)
    for pin, slot in ((THEIR_PIN, 7), (PIN, 12), (THEIR_PIN, 7)):
        reader.add(emulated, slot, pin)
        emulated.reset()
    everybody = reader.door.guard.book.everything().values()
    numbers = [card.uid for held in everybody for card in unpack(held.cards)]
    assert numbers == [mine.uid]


# ---- too much, and too little


def test_a_lock_gone_mad_with_cards_fills_nothing(reader: Reader) -> None:
    reader.added()
    for _ in range(3000):
        reader.begins()
    assert len(reader.door.keeper._nonces._seen) <= 1024
    assert reader.door.worker.todo is None
    told = reader.door.house.to(Room.LOCK)
    assert {type(msg) for msg in told} == {wire.CardCommand}
    assert len(told) == 3000


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("kind", CHIPS)
@pytest.mark.parametrize("adds", [False, True])
@pytest.mark.parametrize("at", range(4))
def test_a_disk_that_fails_at_any_write_ends_the_exchange_once_and_loses_no_card(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, kind: Kind, *, adds: bool, at: int
) -> None:
    card = new(kind) if adds else reader.added(kind)
    if adds:
        assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    writes = 0
    real = os.fsync

    def fsync(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes == at + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        end = reader.tap(card)
    assert end in (REFUSED, ("added", 0) if adds else ("opens", 12))
    if adds and end == REFUSED:
        assert reader.tap(card) == ("added", 0), "the minute is not over"
    assert reader.tap(card) == ("opens", 12)


def test_counters_without_room_refuse_another_card_and_keep_those_there_are(reader: Reader) -> None:
    card = reader.added()
    counters = reader.talk.counters
    counters._cards |= {serial: Kept(1, pending=False) for serial in range(1 << 20, (1 << 20) + ROOM - 1)}
    assert len(counters._cards) == ROOM
    assert reader.add(new()) == REFUSED
    reader.door.wait(ADD_S)
    assert reader.tap(card) == ("opens", 12)


def test_a_fault_that_is_none_of_the_disks_is_a_refusal_too(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    class Strange(Fault):
        """Of a kind that nobody thought of."""

    def strange(*_: object) -> None:
        raise Strange("the key is gone")

    card = reader.added()
    with monkeypatch.context() as patch:
        patch.setattr(Counters, "keep", strange)
        assert reader.tap(card) == REFUSED
    assert reader.tap(card) == ("opens", 12)


def test_a_line_that_is_full_when_the_card_is_settled_costs_one_step_of_certainty_and_no_more(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = reader.added()
    older = SimulatedCard(copy.deepcopy(card.memory))
    assert reader.tap(card) == ("opens", 12)
    last = SimulatedCard(copy.deepcopy(card.memory))
    real, tries = reader.talk.line.submit, 0

    def full(task: object) -> bool:
        nonlocal tries
        tries += 1
        return real(task) if tries == 1 else False  # type: ignore[arg-type]  # whatever the line takes

    with monkeypatch.context() as patch:
        patch.setattr(reader.talk.line, "submit", full)
        assert reader.tap(card) == ("opens", 12)
    (serial,) = serials(reader)
    kept = on_disk(reader).get(serial)
    assert kept is not None
    assert kept.pending, "it opened, and nobody wrote that it arrived"
    assert reader.tap(older) == REFUSED
    assert reader.tap(card) == ("opens", 12)
    assert reader.tap(last) == REFUSED


def test_counters_that_are_torn_foreign_or_empty_are_no_counters_and_keep_no_pin_out(reader: Reader) -> None:
    card = reader.added()
    foreign = os.urandom(2 * 40960)
    for junk in (b"", b"DWCT\x01", bytes(2 * 40960), foreign):
        reader.talk.close()
        (reader.door.state / "cards").write_bytes(junk)
        reader.door.boot()
        assert reader.door.type_in(PIN)
        assert reader.tap(card) == REFUSED
        assert reader.add(card) == ("added", 0)
        assert reader.tap(card) == ("opens", 12)


# ---- the wrong moment


def test_a_card_is_added_for_the_tenant_whose_pin_was_shown_and_not_for_the_next(reader: Reader) -> None:
    card = new()
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.door.invite(serial=2)
    assert reader.tap(card) == REFUSED
    reader.door.boot()
    assert reader.door.guard.book.unreadable == 0
    assert reader.door.set_pin(INVITATION, "271845")
    assert reader.tap(card) == REFUSED


def test_a_card_is_not_added_for_somebody_who_moved_in_since_the_pin_was_shown(reader: Reader) -> None:
    card = new()
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.door.invite(serial=2)
    assert reader.door.set_pin(INVITATION, "271845")
    assert reader.tap(card) == REFUSED
    assert serials(reader) == []


def test_an_offer_that_comes_while_a_card_is_added_leaves_the_next_tenant_without_it(reader: Reader) -> None:
    card = new()
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.begins()
    for _ in range(6):
        (command,) = (msg for msg in reader.door.house.to(Room.LOCK) if isinstance(msg, wire.CardCommand))
        reader.door.say(wire.CardAnswer(command.nonce, card.process(command.apdu)))
    reader.door.say(reader.door.offer(serial=2))
    ends = [msg for msg in reader.answers(card) if isinstance(msg, wire.Answer)]
    assert [end.outcome for end in ends] == [Outcome.REFUSED]
    assert serials(reader) == []


def test_a_card_goes_to_the_next_tenant_if_only_the_slot_is_remembered(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded fault: whose PIN it was is forgotten."""
    card = new()
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.door.invite(serial=2)
    assert reader.door.set_pin(INVITATION, "271845")
    with monkeypatch.context() as patch:
        patch.setattr(CardTalk, "_expected", lambda talk: (12, talk.guard.book.held(12)))
        assert reader.tap(card) == ("added", 0)
    assert reader.tap(card) == ("opens", 12)


@pytest.mark.parametrize("kind", CHIPS)
def test_an_answer_that_nobody_asked_for_does_not_stand_for_a_counter_on_the_disk(reader: Reader, kind: Kind) -> None:
    card = reader.added(kind)
    card.reset()
    nonce = reader.begins()
    while reader.door.worker.todo is None:
        (command,) = (msg for msg in reader.door.house.to(Room.LOCK) if isinstance(msg, wire.CardCommand))
        reader.door.say(wire.CardAnswer(nonce, card.process(command.apdu)))
    reader.door.say(wire.CardAnswer(nonce, bytes.fromhex("9100")))
    assert reader.door.house.to(Room.LOCK) == [], "nothing is said to the card before its counter is kept"
    (end,) = reader.answers(card)
    assert isinstance(end, wire.Verdict)
    assert end.outcome is Outcome.ACCEPTED


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHIPS)
@pytest.mark.parametrize("lost", [False, True])
def test_my_own_card_that_is_pulled_away_while_it_is_added_again_opens_or_is_added_once_more(
    reader: Reader, kind: Kind, *, lost: bool
) -> None:
    card = reader.added(kind)
    fates, end = [], REFUSED
    for answers in range(MOST_STEPS):
        assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
        card.reset()
        card.pull_away_after(answers, answer_lost=lost)
        reader.begins()
        reader.answers(card)
        reader.door.wait(ADD_S)
        end = reader.tap(card)
        fates.append(end)
        if end == REFUSED:
            assert reader.add(card) == ("added", 0), f"pulled away after {answers} answers"
            assert reader.tap(card) == ("opens", 12)
    assert set(fates) == {("opens", 12), REFUSED}
    assert end == ("opens", 12), "in the end it was not pulled away"


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHIPS)
def test_my_own_card_opens_or_is_added_once_more_after_a_kill_at_any_write_while_it_is_added_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    at, ended = 0, False
    while not ended:
        door = Door(tmp_path / f"again{at}", reader=True)
        door.move_in()
        reader = Reader(door)
        card = reader.added(kind)
        assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
        ended = until_the_cut(monkeypatch, at, lambda: reader.tap(card)) < at  # noqa: B023 - called at once
        reader = again(reader)
        if reader.tap(card) == REFUSED:
            assert not ended
            assert reader.add(card) == ("added", 0)
            assert reader.tap(card) == ("opens", 12)
        close(reader)
        at += 1
    assert at > 2


@pytest.mark.slow
def test_what_a_neighbour_knew_of_my_card_before_i_added_it_does_not_open_as_mine(reader: Reader) -> None:
    emulated = reader.added(slot=7, pin=THEIR_PIN)
    mine = SimulatedCard(copy.deepcopy(emulated.memory))  # the genuine card, prepared with the key they were told
    assert reader.change(CardChange.CANCEL_ALL, THEIR_PIN, 7) is Outcome.ACCEPTED
    assert reader.add(mine) == ("added", 0)
    assert reader.tap(emulated) == REFUSED
    assert reader.tap(mine) == ("opens", 12)


def test_a_door_whose_counters_cannot_be_had_opens_by_pin(reader: Reader) -> None:
    card = reader.added()
    reader.talk.close()
    (reader.door.state / "cards").unlink()
    (reader.door.state / "cards").mkdir()
    reader.door.boot()
    assert reader.door.type_in(PIN)
    assert reader.tap(card) == REFUSED
    (reader.door.state / "cards").rmdir()
    reader.door.boot()
    assert reader.add(card) == ("added", 0)


def test_a_disk_that_is_full_at_the_start_keeps_no_pin_and_no_card_out(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = reader.added()
    reader.talk.counters.keep(99, Kept(1, pending=False))  # of a card that was cancelled, and nobody forgot it yet
    reader.talk.close()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        reader.door.boot()
    assert reader.door.type_in(PIN)
    assert reader.tap(card) == ("opens", 12)


def test_a_card_that_takes_anothers_place_leaves_no_counter_behind(reader: Reader) -> None:
    number = new().uid
    for _ in range(5):
        assert reader.add(SimulatedCard.new(Kind.NTAG424, number)) == ("added", 0)
    assert sorted(on_disk(reader)._cards) == serials(reader)
