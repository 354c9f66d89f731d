"""What may happen between two steps of an exchange with a card, and what becomes of the card then.

A moment is whatever keeper waits for: an answer of the card, or a write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.keeper.book import Book
from device.keeper.card_talk import CardTalk, Holder
from device.keeper.cards.counters import Counters
from device.keeper.cards.registered import unpack
from device.wire import CardChange, Outcome
from tests.unit.keeper.bench import PIN, Door
from tests.unit.keeper.test_card_talk import REFUSED, Reader, new
from tools.simulator.cards.card import SimulatedCard

END_S = 3600  # of the tenancy, from when it began
MOMENTS = 100  # more than an exchange has


def home(folder: Path) -> Reader:
    """A door with a reader, and one resident whose tenancy ends."""
    door = Door(folder / "keeper", reader=True)
    door.move_in(ends=int(door.unix_s) + END_S)
    return Reader(door)


def close(reader: Reader) -> None:
    reader.door.guard.file.close()
    reader.door.keeper._cards.close()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = home(tmp_path)
    yield made
    close(made)


@dataclass
class Slow:
    """An exchange that goes on one moment at a time."""

    reader: Reader
    card: SimulatedCard
    ends: list[wire.Message] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    _owed: wire.CardCommand | None = None

    def __post_init__(self) -> None:
        self.card.reset()
        self.nonce = self.reader.begins()
        self._hear()

    def turn(self) -> bool:
        """What keeper waits for happens; False if it waits for nothing."""
        if self.reader.door.worker.todo:
            self.reader.door.worker.one()
        elif self._owed:
            command, self._owed = self._owed, None
            self.reader.door.say(wire.CardAnswer(command.nonce, self.card.process(command.apdu)))
        else:
            return False
        self._hear()
        return True

    def turns(self, many: int) -> int:
        """At most so many; how many there were."""
        return next((turn for turn in range(many) if not self.turn()), many)

    def end(self) -> wire.Message:
        """Let it run to its one end."""
        assert self.turns(MOMENTS) < MOMENTS
        (end,) = self.ends
        return end

    def _hear(self) -> None:
        for told in self.reader.door.house.to(Room.LOCK):
            if isinstance(told, wire.CardCommand):
                self.commands.append(told.apdu)
                self._owed = told
            else:
                self.ends.append(told)


def opened(end: wire.Message) -> bool:
    return isinstance(end, wire.Verdict) and end.outcome is Outcome.ACCEPTED


def cards_of(reader: Reader, slot: int = 12) -> list[int]:
    held = reader.door.guard.book.held(slot)
    return [card.serial for card in unpack(held.cards)] if held else []


# ---- what ends while a card is read


def cancelled(reader: Reader) -> None:
    assert reader.talk.drop(12)


def moved_out(reader: Reader) -> None:
    reader.door.wait(END_S)


def let_again(reader: Reader) -> None:
    reader.door.say(reader.door.offer(serial=2))
    assert isinstance(reader.door.house.to(Room.LOCK)[-1], wire.OfferKept)


def opens_all_the_same(folder: Path, over: Callable[[Reader], None]) -> list[int]:
    """The moments of an opening at which `over` comes too late."""
    wrong: list[int] = []
    for at in range(MOMENTS):
        reader = home(folder / str(at))
        slow = Slow(reader, reader.added())
        if slow.turns(at) < at or slow.ends:
            close(reader)
            assert at > 5, "an opening has more moments than that"
            return wrong
        over(reader)
        if opened(slow.end()):
            wrong.append(at)
        close(reader)
    pytest.fail("an exchange without an end")


@pytest.mark.slow
@pytest.mark.parametrize("over", [cancelled, moved_out, let_again])
def test_a_card_that_ends_at_any_moment_of_its_exchange_opens_nothing(
    tmp_path: Path, over: Callable[[Reader], None]
) -> None:
    assert opens_all_the_same(tmp_path, over) == []


def test_a_door_that_looks_only_at_the_beginning_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault."""
    real, found = CardTalk.holder, dict[bytes, Holder]()

    def once(self: CardTalk, uid: bytes) -> Holder | None:
        now = real(self, uid)
        return found.get(uid) if now is None else found.setdefault(uid, now)

    monkeypatch.setattr(CardTalk, "holder", once)
    assert opens_all_the_same(tmp_path, moved_out)


@pytest.mark.parametrize("over", [moved_out, let_again])
def test_nothing_is_added_for_a_tenancy_that_ends_at_any_moment_meanwhile(
    tmp_path: Path, over: Callable[[Reader], None]
) -> None:
    for at in range(0, MOMENTS, 3):
        reader = home(tmp_path / str(at))
        assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
        slow = Slow(reader, new())
        if slow.turns(at) < at or slow.ends:
            close(reader)
            assert at > 9, "an adding has more moments than that"
            return
        over(reader)
        assert getattr(slow.end(), "outcome", None) is Outcome.REFUSED
        assert cards_of(reader) == []
        close(reader)
    pytest.fail("an exchange without an end")


def test_the_last_moment_of_adding_is_too_late_as_well(tmp_path: Path) -> None:
    reader = home(tmp_path)
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    slow = Slow(reader, new())
    while not (reader.door.worker.todo and slow.commands):
        assert slow.turn()
    moved_out(reader)  # the counter is being written; the record would be next
    assert getattr(slow.end(), "outcome", None) is Outcome.REFUSED
    assert cards_of(reader) == []
    close(reader)


def test_after_the_end_of_the_tenancy_nothing_is_written_to_a_card_that_was_to_be_added(reader: Reader) -> None:
    reader.door.wait(END_S - 10)
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    reader.door.wait(20)
    slow = Slow(reader, new())
    assert isinstance(slow.end(), wire.Verdict), "refused as any card is"
    assert not opened(slow.ends[0])
    assert len(slow.commands) == 1, "it was asked for its number, and nothing else"


# ---- who speaks of which exchange


def test_a_card_that_left_before_does_not_end_the_exchange_of_the_next(reader: Reader) -> None:
    card = reader.added()
    before = reader.begins()
    reader.door.house.to(Room.LOCK)
    slow = Slow(reader, card)
    reader.door.say(wire.CardGone(before))
    assert opened(slow.end())


def test_a_write_that_fails_after_the_card_left_disturbs_nobody(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = reader.added()
    slow = Slow(reader, card)
    while not reader.door.worker.todo:
        assert slow.turn()

    def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    reader.door.say(wire.CardGone(slow.nonce))
    with monkeypatch.context() as patch:
        patch.setattr(Counters, "keep", full)
        assert not opened(slow.end())
    assert reader.tap(card) == ("opens", 12)


# ---- cards without a number, and numbers without a card


class Nameless(SimulatedCard):
    """The reader finds no number of it."""

    def process(self, command: bytes) -> bytes:
        return bytes.fromhex("6a81") if command.startswith(bytes.fromhex("ffca")) else super().process(command)


def test_a_card_without_a_number_is_asked_for_nothing_more_and_takes_nobodys_place(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    slow = Slow(reader, Nameless(new().memory))
    assert isinstance(slow.end(), wire.Verdict)
    assert not opened(slow.ends[0])
    assert len(slow.commands) == 1
    assert "makes no sense" in capsys.readouterr().err
    assert reader.tap(new()) == ("added", 0), "the minute is not over"


def test_a_serial_that_another_card_has_is_not_given_twice_although_its_counter_is_lost(reader: Reader) -> None:
    reader.door.move_in(7, "730158")
    theirs = reader.added(slot=7, pin="730158")
    (taken,) = cards_of(reader, 7)
    reader.talk.close()
    (reader.door.state / "cards").unlink()
    reader.door.boot()
    honest = reader.talk.draw
    reader.talk.draw = lambda size: taken.to_bytes(4, "little") if size == 4 else honest(size)
    assert reader.add(new()) == REFUSED
    assert cards_of(reader) == []
    reader.talk.draw = honest
    assert reader.tap(new()) == ("added", 0), "the minute is not over"
    assert cards_of(reader) != [taken]
    assert reader.tap(theirs) == REFUSED, "the counter of another card is not theirs"


# ---- slots that hold nothing


def test_for_a_slot_that_holds_nothing_no_card_is_expected_and_none_cancelled(reader: Reader) -> None:
    assert not reader.talk.expect(99)
    assert not reader.talk.drop(99)
    assert reader.tap(new()) == REFUSED


def test_a_slot_whose_record_is_gone_meanwhile_expects_no_card(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader.change(CardChange.ADD) is Outcome.ACCEPTED
    real = Book.held
    monkeypatch.setattr(Book, "held", lambda self, slot: None if slot == 12 else real(self, slot))
    slow = Slow(reader, new())
    assert not opened(slow.end())
    assert len(slow.commands) == 1


def test_a_cancelling_that_the_disk_does_not_take_is_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    card = reader.added()

    def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Book, "keep", full)
        assert reader.change(CardChange.CANCEL_ALL) is Outcome.REFUSED
    assert reader.tap(card) == ("opens", 12)
    assert reader.change(CardChange.CANCEL_ALL) is Outcome.ACCEPTED
    assert reader.tap(card) == REFUSED


def test_a_door_without_a_reader_adds_and_cancels_nothing(tmp_path: Path) -> None:
    door = Door(tmp_path / "keeper")
    door.move_in()
    for change in CardChange:
        answer = door.ask(wire.ChangeCards(door.nonce(), change, 12, PIN))
        assert isinstance(answer, wire.Answer)
        assert answer.outcome is Outcome.REFUSED
    door.guard.file.close()


# ---- what the journal says of it


def test_the_journal_names_the_fault_of_the_disk_and_is_silent_about_a_card_that_opens(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = reader.added()
    capsys.readouterr()
    assert reader.tap(card) == ("opens", 12)
    assert capsys.readouterr().err == ""

    def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Counters, "keep", full)
        assert reader.tap(card) == REFUSED
    assert "keeper: the disk is full" in capsys.readouterr().err
