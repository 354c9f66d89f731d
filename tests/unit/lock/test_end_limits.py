"""The end of a door at its edges: who is asked when, who has to have answered, and what is said to the moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from device import wire
from device.edges import Room
from device.errors import StoreFault
from device.lock import policy as policy_module
from device.lock.farewell import AGAIN_NS, Farewell
from device.lock.keypad import ChangeOfCards, EndDoor, OpenDoor, PersonalAct, press, read
from device.lock.machine import next_deadline_ns
from device.lock.state import Came, Key, Show, Signal
from device.wire import Ending, Outcome, Result
from tests.unit.lock.house import DOOR, Clock, House
from tests.unit.lock.support import S, World, connected, with_rules


def typed(row: str) -> object:
    entry = None
    for key in row:
        entry = press(entry, key, 0)
    assert entry is not None
    return read(entry)


def test_what_is_typed_for_the_end_is_the_flat_and_then_the_pin() -> None:
    assert typed("011#12#482913#") == EndDoor(12, "482913")
    assert typed("12#482913#") == OpenDoor(12, "482913")
    for row, kind in (("01#12#482913#", PersonalAct), ("07#12#482913#", ChangeOfCards)):
        found = typed(row)
        assert isinstance(found, kind)
        assert (found.claim, found.digits) == (12, "482913")


def test_whoever_was_let_in_hears_of_the_end_two_seconds_later_to_the_moment() -> None:
    world = connected(World(rules=with_rules(ending=Ending.ANNOUNCED)))
    for key in "12#482913#":
        world.send(Key(key))
    check = world.state.check
    assert check
    world.send(Came(Room.KEEPER, wire.Verdict(check.nonce, world.now_ns, Outcome.ACCEPTED, 12)))
    due_ns = world.now_ns + 2 * S
    assert next_deadline_ns(world.state, world.rules) == due_ns
    world.passes(2 * S - 1)
    assert Show(Signal.DOOR_ENDS) not in world.effects
    world.passes(1)
    assert Show(Signal.DOOR_ENDS) in world.effects
    assert world.state.announce_at_ns is None


def test_a_receipt_that_comes_before_everybody_is_done_is_not_the_end_of_asking() -> None:
    farewell = Farewell(gone={Room.LOCK})
    farewell.heard(Room.VAULT, wire.Retired(attested=True))
    assert farewell.deadline_ns() == 0
    assert farewell.questions(5) == ((Room.KEEPER, wire.Retire(all_gone=False)),)
    farewell.heard(Room.KEEPER, wire.Retired(attested=False))
    assert farewell.deadline_ns() is None
    assert not farewell.due(AGAIN_NS * 10), "there is nothing left to ask for"
    assert farewell.questions(AGAIN_NS * 10) == ()


def test_who_does_not_answer_is_asked_again_every_minute() -> None:
    farewell = Farewell()
    assert (farewell.gone, farewell.attested, farewell.deadline_ns()) == (set(), False, 0)
    assert farewell.due(0)
    asked = farewell.questions(7)
    assert {room for room, _ in asked} == {Room.KEEPER, Room.VAULT}
    assert farewell.deadline_ns() == 7 + 60 * S
    assert not farewell.due(7 + 60 * S - 1)
    assert farewell.questions(7 + 60 * S) == asked


def test_a_door_that_has_ended_says_so_to_whoever_asks_for_its_end_again(house: House) -> None:
    house.work._some = False
    assert house.work._asked_to_end(DOOR) is Result.DONE
    for door in (DOOR, bytes(8)):
        assert house.work._asked_to_end(door) is Result.RETIRED


def test_what_cannot_be_destroyed_is_tried_once_a_minute_and_not_with_every_event(
    house: House, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.work._some = False
    assert house.work._asked_to_end(DOOR) is Result.DONE
    tried: list[int] = []

    def stuck(_folder: Path) -> None:
        tried.append(clock.now_ns)
        msg = "what lock kept cannot be removed yet: Input/output error"
        raise StoreFault(msg)

    monkeypatch.setattr(policy_module, "finish", stuck)
    again = House(tmp_path, clock)
    try:
        again.work.tick()
        before = len(tried)
        for _ in range(59):
            clock.now_ns += S
            again.work.tick()
        assert len(tried) == before
        clock.now_ns += S
        again.work.tick()
        assert len(tried) == before + 1
    finally:
        again.close()


def test_what_is_destroyed_is_destroyed_once(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house.work._some = False
    assert house.work._asked_to_end(DOOR) is Result.DONE
    again = House(tmp_path, house.clock)
    times: list[Path] = []
    monkeypatch.setattr(policy_module, "finish", times.append)
    try:
        assert again.work._policy.clear()
        assert times == []
    finally:
        again.close()
