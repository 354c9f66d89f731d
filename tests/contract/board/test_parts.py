"""A board and what stands beside it: one descriptor, one tamper alarm, one exchange with a card."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from device.lock.parts import PartsBoard
from device.lock.state import CardCame, CardLeft, CardReplied, Event, FaceButton, Key, Signal, TamperMoved
from device.wire import Hint
from tests.contract.board.bench import Bench, gpiozero_bench, open_files

ILL, WELL = TamperMoved(on=True), TamperMoved(on=False)
WHO = bytes.fromhex("FFCA000000")


@dataclass(eq=False)
class Beside:
    """A part that says what a test has it say."""

    well: bool = True
    fails: bool = False
    said: list[bytes | None] = field(default_factory=list)
    shown: list[Signal] = field(default_factory=list)
    bell: int = field(default_factory=lambda: os.eventfd(0, os.EFD_NONBLOCK))
    _news: list[Event] = field(default_factory=list)

    def says(self, *events: Event) -> None:
        self._news += events
        os.eventfd_write(self.bell, 1)

    def replug(self) -> None:
        """Closed and opened again, with the number it had, between two looks."""
        number = self.bell
        os.close(self.bell)
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)
        assert self.bell == number

    def fileno(self) -> int | None:
        return self.bell if self.bell >= 0 else None

    def events(self, now_s: float) -> list[Event]:
        if self.fails:
            raise ZeroDivisionError
        if self.bell >= 0 and select.select([self.bell], [], [], 0)[0]:
            os.eventfd_read(self.bell)
        news, self._news = self._news, []
        return news

    def deadline(self) -> float | None:
        return None

    def show(self, signal: Signal, hint: Hint | None) -> None:
        if self.fails:
            raise ZeroDivisionError
        self.shown.append(signal)

    def card(self, command: bytes | None) -> None:
        if self.fails:
            raise ZeroDivisionError
        self.said.append(command)

    def close(self) -> None:
        if self.bell >= 0:
            os.close(self.bell)
            self.bell = -1


@dataclass
class Door:
    bench: Bench
    board: PartsBoard
    first: Beside
    second: Beside

    def hear(self) -> list[Event]:
        heard: list[Event] = []
        for _ in range(50):
            due = self.board.deadline()
            if due is not None:
                self.bench.now_s = max(self.bench.now_s, due)
            elif not select.select([self.board.fileno()], [], [], 0)[0]:
                return heard
            heard += self.board.events(self.bench.now_s)
        raise AssertionError("the loop would spin")


@pytest.fixture
def door() -> Iterator[Door]:
    bench = gpiozero_bench()
    bench.touch("door closed")
    bench.touch("tamper off")
    parts = (Beside(), Beside())
    made = Door(bench, PartsBoard(bench.board, parts), *parts)
    made.hear()
    yield made
    made.board.close()


def test_what_is_said_before_the_first_look_wakes_the_loop() -> None:
    part = Beside()
    board = PartsBoard(gpiozero_bench().board, (part,))
    board.events(0.0)
    part.says(Key("1"))
    fresh = Beside()
    fresh.says(Key("2"))
    second = PartsBoard(gpiozero_bench().board, (fresh,))
    for each in (board, second):
        assert select.select([each.fileno()], [], [], 0)[0]
        each.close()


def test_everybody_is_heard_and_everybody_shows(door: Door) -> None:
    door.bench.touch("face down")
    door.first.says(Key("1"))
    door.second.says(Key("2"))
    assert sorted(map(repr, door.hear())) == sorted(map(repr, [Key("1"), Key("2"), FaceButton()]))
    door.board.show(Signal.OPENED, None)
    assert door.first.shown == door.second.shown == [Signal.OPENED]


def test_one_alarm_stands_while_any_of_them_is_ill(door: Door) -> None:
    door.first.well = False
    assert door.board.events(door.bench.now_s) == [ILL]
    door.second.well = False
    assert door.board.events(door.bench.now_s) == []
    door.first.well = True
    assert door.board.events(door.bench.now_s) == []
    door.second.well = True
    assert door.board.events(door.bench.now_s) == [WELL]


def test_a_device_that_came_back_under_its_old_number_is_heard(door: Door) -> None:
    door.first.replug()
    door.hear()
    door.board.events(door.bench.now_s)
    door.first.says(Key("7"))
    assert door.hear() == [Key("7")]


def test_the_exchange_is_with_the_reader_that_has_the_card_and_no_other(door: Door) -> None:
    door.second.says(CardCame())
    assert door.hear() == [CardCame()]
    door.board.card(WHO)
    assert (door.first.said, door.second.said) == ([], [WHO])
    door.first.says(CardReplied(b"\x90\x00"), CardLeft())
    assert door.hear() == [], "it was not asked"
    door.second.says(CardReplied(b"\x01\x90\x00"))
    assert door.hear() == [CardReplied(b"\x01\x90\x00")]
    door.board.card(None)
    assert door.second.said == [WHO, None]
    door.board.card(WHO)
    assert door.second.said == [WHO, None], "it is over"


def test_a_card_at_a_second_reader_is_let_go_and_disturbs_nobody(door: Door) -> None:
    door.first.says(CardCame())
    door.second.says(CardCame())
    assert door.hear() == [CardCame()]
    assert (door.first.said, door.second.said) == ([], [None])
    door.first.says(CardLeft())
    assert door.hear() == [CardLeft()]
    door.second.says(CardCame())
    assert door.hear() == [CardCame()], "it can be shown again"


def test_a_board_that_mixes_two_cards_is_caught(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    """Seeded fault: whoever speaks is heard."""
    monkeypatch.setattr(PartsBoard, "_heard", lambda _board, _source, event: [event])
    door.first.says(CardCame())
    door.second.says(CardCame())
    assert door.hear().count(CardCame()) == 2


ACTS: list[Callable[[PartsBoard], object]] = [
    lambda board: board.events(1.0),
    lambda board: board.show(Signal.WAIT, None),
    lambda board: board.card(WHO),
]


@pytest.mark.parametrize("act", ACTS, ids=["events", "show", "card"])
def test_a_part_that_raises_is_an_alarm_and_the_door_works_on(door: Door, act: Callable[[PartsBoard], object]) -> None:
    door.first.says(CardCame())
    assert door.hear() == [CardCame()]
    door.first.fails = True
    heard = act(door.board) or []
    assert isinstance(heard, list)
    assert heard + door.hear() == [ILL, CardLeft()]
    door.first.fails = False
    assert door.hear() == [], "not asked again"
    assert door.first.bell == -1, "given back"
    door.second.says(Key("3"))
    assert door.hear() == [Key("3")]
    door.board.bolt.release(60_000)
    assert door.bench.released()
    door.second.says(CardCame())
    assert door.hear() == [CardCame()], "another reader takes over"


def test_a_board_that_lets_a_part_raise_is_caught(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    """Seeded fault: nothing stands between a part and the process that holds the bolt."""
    monkeypatch.setattr(PartsBoard, "_guarded", lambda _board, _part, act: act())
    door.first.fails = True
    with pytest.raises(ZeroDivisionError):
        door.board.events(door.bench.now_s)
    door.first.fails = False


def test_closing_secures_first_and_leaves_no_file_open() -> None:
    before = open_files()
    bench = gpiozero_bench()
    part = Beside()
    board = PartsBoard(bench.board, (part,))
    board.bolt.release(60_000)
    assert bench.released()

    def stubborn() -> None:
        assert not bench.released(), "the bolt comes first"
        os.close(part.bell)
        raise ZeroDivisionError

    part.close = stubborn  # type: ignore[method-assign]  # a part that cannot be given back
    board.close()
    assert not bench.released()
    assert open_files() == before
