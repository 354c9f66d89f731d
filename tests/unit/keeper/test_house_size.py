"""A house of any size: its own typing errors shut nobody out, and no resident's risk is greater than among twenty."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from device.keeper.attempts import MAX_SLOTS
from device.keeper.throttle import BUDGET, Budget, Counts, Throttle
from tests.unit.keeper.bench import PIN, Door

DAY_S = 86400.0
U16 = 65535


def test_the_arithmetic_of_the_docstring() -> None:
    for residents in (20, 100, 200, 1000, MAX_SLOTS):
        assert BUDGET.guesses(residents) == 3 * residents
        assert BUDGET.refill_s(residents) == pytest.approx(36_000 / residents)
        in_a_day = BUDGET.guesses(residents) + DAY_S / BUDGET.refill_s(residents)
        in_a_year = BUDGET.guesses(residents) + 365 * DAY_S / BUDGET.refill_s(residents)
        assert in_a_day == pytest.approx(5.4 * residents)
        assert in_a_year == pytest.approx(879 * residents)
    assert DAY_S / BUDGET.refill_s(200) == pytest.approx(480)
    for residents, chance in ((20, 0.017), (100, 0.084)):
        assert 1 - (1 - 1e-6) ** (879 * residents) == pytest.approx(chance, abs=0.0005)


@pytest.mark.parametrize("residents", range(21))
def test_up_to_twenty_residents_have_what_they_had(residents: int) -> None:
    assert (BUDGET.guesses(residents), BUDGET.refill_s(residents)) == (60, 1800.0)


def test_the_largest_house_fits_into_what_is_saved() -> None:
    assert Counts.worst(range(1, MAX_SLOTS + 1)).door == BUDGET.guesses(MAX_SLOTS) == 6144 < U16


def shut_out(residents: int, budget: Budget = BUDGET, days: int = 10) -> int:
    """How many right entries are refused in ten days in which everybody comes home four times a day.

    One entry in ten is mistyped, and typed again at once.
    """
    dice = random.Random(residents)
    throttle, refused = Throttle(Counts(0, {}), 0.0, budget), 0
    moments = sorted(dice.uniform(0, days * DAY_S) for _ in range(4 * days * residents))
    for now_s in moments:
        slot = dice.randrange(1, residents + 1)
        if dice.random() < 0.1:
            throttle.charge(slot, now_s, known=True, residents=residents)
        admission = throttle.charge(slot, now_s, known=True, residents=residents)
        refused += not admission.admitted
        throttle.settle(slot, admission)
    return refused


@pytest.mark.parametrize("residents", [4, 20, 200])
def test_a_house_is_not_shut_out_by_its_own_typing_errors(residents: int) -> None:
    assert shut_out(residents) == 0


def test_the_seeded_budget_that_does_not_grow_shuts_a_large_house_out() -> None:
    assert shut_out(200, Budget(door_residents=10**6)) > 50


def most_at_one_resident(residents: int, budget: Budget = BUDGET) -> float:
    """Guesses for each resident in ten days, by somebody who goes from slot to slot, never waits and never eats.

    The first try at an untouched slot of a spent door is counted apart; here each slot was mistyped at once before.
    """
    throttle = Throttle(Counts(0, dict.fromkeys(range(1, residents + 1), 1)), 0.0, budget)
    looked_at, now_s = 0, 0.0
    for number in range(int(10 * DAY_S / 10)):
        now_s += 10.0
        looked_at += throttle.charge(1 + number % residents, now_s, known=True, residents=residents).admitted
    return looked_at / residents


@pytest.mark.slow
def test_each_residents_risk_is_what_it_is_among_twenty() -> None:
    among_twenty = most_at_one_resident(20)
    for residents in (40, 200):
        assert most_at_one_resident(residents) <= among_twenty + 0.1
    assert among_twenty == pytest.approx(3 + 10 * 2.4, abs=0.1)


@pytest.mark.slow
def test_a_seeded_budget_that_grows_faster_than_the_house_is_seen() -> None:
    assert most_at_one_resident(200, Budget(door_residents=10)) > most_at_one_resident(20) + 10


def test_what_is_counted_means_the_same_when_people_move() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    for slot in range(1, 101):
        throttle.charge(slot, 0.0, known=True, residents=100)
    assert throttle.counts().door == 100
    assert Throttle(throttle.counts(), 5.0).counts() == throttle.counts(), "nor by a power cut"
    throttle.charge(101, 0.0, known=True, residents=101)
    assert throttle.counts().door == 101, "moving in forgives nothing"
    throttle.charge(999, 0.0, known=False, residents=50)
    assert throttle.counts().door == 101, "nor does moving out, while there is something left"
    throttle.charge(999, 0.0, known=False, residents=20)
    assert throttle.counts().door == 60, "twenty people never wait for what a hundred had spent"
    assert not throttle.charge(1, 0.0, known=True, residents=20).admitted
    assert throttle.charge(1, 0.0, known=True, residents=21).admitted


def guesses_by_moving(moves: Callable[[random.Random], int]) -> tuple[int, float]:
    """Guesses that are looked at while people move, and the most that the docstring allows."""
    dice = random.Random(1)
    residents, moved_in = 60, 0
    throttle, looked_at, now_s = Throttle(Counts(0, {}), 0.0), 0, 0.0
    slowest, allowed = 36_000 / 60, 180.0
    for number in range(20_000):
        change = moves(dice)
        if change > 0:
            throttle.charge(5000, now_s, known=False, residents=residents)  # nobody moves in but by an attempt
            moved_in += change
        residents = max(20, residents + change)
        slowest = BUDGET.refill_s(residents)
        step_s = dice.uniform(0, 60)
        now_s, allowed = now_s + step_s, allowed + step_s / slowest
        if dice.random() < 0.001:
            throttle = Throttle(throttle.counts(), now_s)
        slot = 1 + number % 3000  # every time another: only the door's budget is in the way
        throttle._slots.setdefault(slot, 1)
        looked_at += throttle.charge(slot, now_s, known=True, residents=residents).admitted
        throttle._slots[slot] = 1
        throttle._opens_s.pop(slot, None)
    return looked_at, allowed + 3 * moved_in + 1


@pytest.mark.parametrize("restless", [0.0, 0.01, 0.2])
def test_moving_in_and_out_gives_no_more_guesses_than_are_stated(restless: float) -> None:
    def moves(dice: random.Random) -> int:
        return dice.choice((-1, 1)) if dice.random() < restless else 0

    looked_at, allowed = guesses_by_moving(moves)
    assert looked_at <= allowed


def test_residents_are_slots_with_a_pin(door: Door) -> None:
    assert door.guard.book.residents == 0
    door.invite(14)
    assert door.guard.book.residents == 0, "an invitation types nothing yet"
    door.move_in(12)
    assert door.guard.book.residents == 1
    door.boot()
    assert door.guard.book.residents == 1
    door.invite(12, serial=2)
    assert door.guard.book.residents == 0


def test_a_door_charges_by_the_number_of_its_residents(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    guesses = Budget.guesses

    def watched(self: Budget, residents: int) -> int:
        asked.append(residents)
        return guesses(self, residents)

    monkeypatch.setattr(Budget, "guesses", watched)
    for slot in (12, 13, 14):
        door.move_in(slot)
    door.type_in(PIN)
    assert asked == [0, 1, 2, 3]
