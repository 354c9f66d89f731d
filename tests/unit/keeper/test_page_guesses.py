"""Whoever guesses at PINs with the row that opens the residents' page gets no more guesses than at the door itself."""

from __future__ import annotations

import dataclasses

import pytest

from device import wire
from device.edges import Room
from device.keeper.throttle import BUDGET, Budget, Counts, Throttle
from device.wire import Outcome, Purpose
from tests.unit.keeper.bench import PIN, Door

CODE = 246813
TRIES, DAY_S = 600, 86_400.0


def sits(door: Door, digits: str, slot: int = 12) -> bool:
    """The row `012 # flat # PIN # code #`: whether it was right."""
    answer = door.ask(wire.ProvePin(door.nonce(), Purpose.PAGE, slot, digits, CODE))
    assert isinstance(answer, wire.Answer)
    return answer.outcome is Outcome.ACCEPTED


def charged(door: Door, tries: int = TRIES) -> int:
    """How many of so many wrong PINs, typed over a day at one flat, were looked at, and so charged."""
    for number in range(tries):
        assert not sits(door, f"{number + 500_000}")
        door.wait(DAY_S / tries)
    return door.guard.throttle.counts().slots[12]


@pytest.mark.slow
def test_a_day_of_wrong_pins_for_the_page_is_charged_like_one_at_the_door(home: Door) -> None:
    home.move_in(13, "739164")
    for room in (Room.VAULT, Room.DESK):
        home.house.to(room)
    count = charged(home)
    waits_s = sum(BUDGET.wait_s(before) for before in range(count))
    assert 10 < count < 50, "the others were refused without a look"
    assert waits_s - BUDGET.longest_wait_s <= DAY_S
    assert home.house.to(Room.DESK) == []
    assert home.house.to(Room.VAULT) == []
    assert home.type_in("739164", 13), "nobody else waits for it"
    home.wait(BUDGET.longest_wait_s)
    assert sits(home, PIN), "and the resident sits an hour after the last try at most"
    (ticket,) = home.house.to(Room.DESK)
    assert isinstance(ticket, wire.GrantTicket)
    assert ticket.page_code == CODE


@pytest.mark.slow
def test_a_budget_without_an_end_would_be_seen(home: Door) -> None:
    """Seeded fault: every try is looked at."""
    endless = Throttle(Counts(0, {}), home.now_ns / 1e9, Budget(free_tries=10**6, door_guesses=10**6))
    home.run_on(dataclasses.replace(home.guard, throttle=endless))
    assert charged(home, 100) == 100
