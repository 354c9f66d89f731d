"""An error that nobody foresaw, in the worker: keeper ends over it and is started anew; it passes for no success."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.keeper.line import Result
from device.wire import CardChange, Outcome
from tests.unit.keeper.bench import DAY, PIN, Door
from tests.unit.keeper.test_card_talk import Reader
from tools.simulator.cards.card import SimulatedCard


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    door = Door(tmp_path / "keeper", reader=True)
    door.move_in()
    yield Reader(door)
    door.guard.file.close()
    door.keeper._cards.close()


def ends_with(door: Door, result: Result) -> None:
    """What is under way in the worker ends like this, and not as it would have."""
    assert door.worker.todo
    (_, done), door.worker.todo = door.worker.todo, None
    done(result)


def until_the_write(reader: Reader, card: SimulatedCard) -> None:
    """The card answers until keeper writes."""
    card.reset()
    reader.begins()
    while not reader.door.worker.todo:
        (told,) = reader.door.house.to(Room.LOCK)
        assert isinstance(told, wire.CardCommand)
        reader.door.say(wire.CardAnswer(told.nonce, card.process(told.apdu)))


def test_a_counter_whose_writing_broke_opens_nothing(reader: Reader) -> None:
    until_the_write(reader, reader.added())
    with pytest.raises(ZeroDivisionError):
        ends_with(reader.door, ZeroDivisionError())
    assert not [msg for msg in reader.door.house.to(Room.LOCK) if isinstance(msg, wire.Verdict | wire.CardCommand)]


def test_a_counter_that_the_disk_did_not_take_is_a_refusal_and_no_error(reader: Reader) -> None:
    until_the_write(reader, reader.added())
    ends_with(reader.door, StoreFault("the disk is full"))
    (end,) = reader.door.house.to(Room.LOCK)
    assert isinstance(end, wire.Verdict)
    assert end.outcome is Outcome.REFUSED


def test_forgetting_that_broke_is_not_swallowed(reader: Reader) -> None:
    reader.added()
    reader.talk.drop(12)
    with pytest.raises(ZeroDivisionError):
        ends_with(reader.door, ZeroDivisionError())


def test_forgetting_that_the_disk_does_not_take_is_made_up_for_at_the_next_start(reader: Reader) -> None:
    reader.added()
    reader.talk.drop(12)
    ends_with(reader.door, StoreFault("the disk is full"))
    reader.talk.close()
    reader.door.boot()
    assert reader.change(CardChange.CANCEL_ALL) is Outcome.ACCEPTED


def test_settling_that_broke_is_not_swallowed_and_a_full_disk_disturbs_nobody(home: Door) -> None:
    for result in (StoreFault("the disk is full"), ZeroDivisionError()):
        home.say(wire.CheckPin(home.nonce(), 12, PIN, DAY))
        home.worker.one()
        (verdict,) = home.house.to(Room.LOCK)
        assert isinstance(verdict, wire.Verdict)
        assert verdict.outcome is Outcome.ACCEPTED
        if isinstance(result, StoreFault):
            ends_with(home, result)
        else:
            with pytest.raises(ZeroDivisionError):
                ends_with(home, result)
