"""The budget is a bound: whatever people, reboots and clocks do, no more guesses than it says are looked at."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from device.keeper.throttle import BUDGET, Admission, Budget, Counts, Throttle

SLOTS = (1, 2, 3, 4, 5, 6)
STRANGERS = (71, 72, 73)
SMALL = Budget(free_tries=3, first_wait_s=30.0, longest_wait_s=240.0, door_guesses=8, door_refill_s=600.0)


def test_the_waits_are_the_documented_ones() -> None:
    assert [BUDGET.wait_s(count) for count in range(12)] == [0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert BUDGET.spent_count == 10
    assert BUDGET.wait_s(65535) == 3600


def test_the_arithmetic_of_the_docstring() -> None:
    assert sum(BUDGET.wait_s(count) for count in range(10)) == 3810
    assert BUDGET.door_guesses + 86400 / BUDGET.door_refill_s == 108
    assert BUDGET.door_guesses + 365 * 86400 / BUDGET.door_refill_s == 17580


def test_three_tries_are_free_and_the_fourth_waits() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    assert [throttle.charge(1, 0.0, known=True, residents=20).admitted for _ in range(4)] == [True, True, True, False]
    assert not throttle.charge(1, 29.9, known=True, residents=20).admitted
    assert throttle.charge(1, 30.0, known=True, residents=20).admitted
    assert not throttle.charge(1, 89.9, known=True, residents=20).admitted
    assert throttle.charge(1, 90.0, known=True, residents=20).admitted


def test_a_right_entry_clears_the_count_and_gives_the_door_its_guess_back() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    throttle.charge(1, 0.0, known=True, residents=20)
    throttle.settle(1, throttle.charge(1, 0.0, known=True, residents=20))
    assert throttle.counts() == Counts(1, {})


def test_a_refused_attempt_cannot_be_settled() -> None:
    throttle = Throttle(Counts(0, {1: 5}), 0.0)
    throttle.settle(1, throttle.charge(1, 0.0, known=True, residents=20))
    assert throttle.counts().slots == {1: 5}


def test_a_guests_right_code_is_as_if_it_had_not_been_made() -> None:
    throttle = Throttle(Counts(5, {1: 4}), 0.0)
    throttle.take_back(1, throttle.charge(1, 60.0, known=True, residents=20))
    assert throttle.counts() == Counts(5, {1: 4})
    assert throttle.charge(1, 60.0, known=True, residents=20).admitted
    throttle.take_back(1, throttle.charge(1, 60.0, known=True, residents=20))
    assert throttle.counts() == Counts(6, {1: 5}), "one that was refused gives nothing back"
    throttle.take_back(2, throttle.charge(2, 60.0, known=True, residents=20))
    assert throttle.counts() == Counts(6, {1: 5})


def test_a_spent_door_keeps_nobody_out_who_made_no_mistake() -> None:
    throttle = Throttle(Counts(BUDGET.door_guesses, {1: 1}), 0.0)
    assert not throttle.charge(1, 1.0, known=True, residents=20).admitted
    assert throttle.charge(2, 1.0, known=True, residents=20).admitted
    assert not throttle.charge(2, 1.0, known=True, residents=20).admitted


def test_a_right_first_try_at_a_spent_door_gives_nothing_back() -> None:
    throttle = Throttle(Counts(BUDGET.door_guesses, {}), 0.0)
    throttle.settle(1, throttle.charge(1, 1.0, known=True, residents=20))
    assert throttle.counts().door == BUDGET.door_guesses


def test_the_half_hour_runs_from_the_first_wrong_try() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    throttle.charge(1, 1799.0, known=True, residents=20)
    throttle.charge(2, 1801.0, known=True, residents=20)
    assert throttle.counts().door == 2
    throttle.charge(3, 1799.0 + 1800, known=True, residents=20)
    assert throttle.counts().door == 2


def test_only_what_is_looked_at_is_charged() -> None:
    throttle = Throttle(Counts(7, {1: 9, 2: 3}), 0.0)
    before = throttle.counts()
    for _ in range(200):
        for slot, known in ((1, True), (2, True), (71, False), (0, False)):
            assert throttle.charge(slot, 1.0, known=known, residents=20) == Admission(admitted=False, paid=False)
    assert throttle.counts() == before
    assert throttle.charge(3, 1.0, known=True, residents=20) == Admission(admitted=True, paid=True)
    assert throttle.counts() == Counts(8, {1: 9, 2: 3, 3: 1})


def test_what_is_free_neither_begins_nor_delays_the_half_hour() -> None:
    throttle = Throttle(Counts(0, {}), 0.0)
    throttle.charge(71, 500.0, known=False, residents=20)
    throttle.charge(1, 1000.0, known=True, residents=20)
    throttle.charge(71, 1500.0, known=False, residents=20)
    throttle.charge(71, 2799.0, known=False, residents=20)
    assert throttle.counts().door == 1
    throttle.charge(71, 2800.0, known=False, residents=20)
    assert throttle.counts().door == 0


class ChargesJunk(Throttle):
    """The seeded fault: everything that is typed costs the door."""

    def charge(self, slot: int, now_s: float, *, known: bool, residents: int) -> Admission:
        admission = super().charge(slot, now_s, known=known, residents=residents)
        if not admission.paid and self._door < self._budget.door_guesses:
            self._door += 1
        return admission


def resident_gets_in(throttle: Throttle, junk: tuple[int, ...]) -> bool:
    """Whether somebody who mistyped once is still looked at after a stranger typed junk for five minutes."""
    throttle.charge(12, 0.0, known=True, residents=20)
    for second in range(300):
        throttle.charge(junk[second % len(junk)], float(second), known=False, residents=20)
    return throttle.charge(12, 300.0, known=True, residents=20).admitted


@pytest.mark.parametrize("junk", [(71,), tuple(range(100, 400))])
def test_a_stranger_who_types_junk_flats_locks_nobody_out(junk: tuple[int, ...]) -> None:
    assert resident_gets_in(Throttle(Counts(0, {}), 0.0), junk)
    assert not resident_gets_in(ChargesJunk(Counts(0, {}), 0.0), junk)


def test_a_restart_begins_the_wait_anew_and_gives_nothing_back() -> None:
    throttle = Throttle(Counts(60, {1: 5}), 5000.0)
    assert not throttle.charge(1, 5000.0 + 119.9, known=True, residents=20).admitted
    assert Throttle(throttle.counts(), 0.0).counts() == Counts(60, {1: 5})


def test_a_clock_that_goes_back_gives_nothing_back() -> None:
    throttle = Throttle(Counts(60, {1: 3}), 10_000.0)
    throttle.charge(9, 10_000.0 + 1800, known=True, residents=20)
    before = throttle.counts()
    for now_s in (0.0, 10_000.0, 10_000.0 + 1800, 3.0, 10_000.0 + 1800):
        assert not throttle.charge(1, now_s, known=True, residents=20).admitted or now_s >= 10_030
    assert throttle.counts().door == before.door


class Guessing(RuleBasedStateMachine):
    """Somebody who may type anything, cut the power at any moment and turn clocks, against the stated bound."""

    throttle_class: type[Throttle] = Throttle

    def __init__(self) -> None:
        super().__init__()
        self.saved = Counts(0, {})
        self.now_s = 0.0
        self.elapsed_s = 0.0
        self.throttle = self.throttle_class(self.saved, self.now_s, SMALL)
        self.guesses = 0
        self.right = 0
        self.since_right: dict[int, tuple[int, float]] = dict.fromkeys(SLOTS, (0, 0.0))  # slot -> (guesses, first at)

    def _charge(self, slot: int) -> Admission:
        admission = self.throttle.charge(slot, self.now_s, known=slot in SLOTS, residents=20)
        self.saved = self.throttle.counts()  # durable before the check
        return admission

    @rule(slot=st.sampled_from(SLOTS + STRANGERS), tries=st.integers(1, 12))
    def guess(self, slot: int, tries: int) -> None:
        for _ in range(tries):
            if self._charge(slot).admitted:
                assert slot in SLOTS
                count, first_s = self.since_right[slot]
                self.since_right[slot] = (count + 1, first_s if count else self.elapsed_s)
                self.guesses += 1

    @rule(slot=st.sampled_from(SLOTS))
    def enter_right(self, slot: int) -> None:
        admission = self._charge(slot)
        if admission.admitted:
            self.throttle.settle(slot, admission)
            self.right += 1
            self.since_right[slot] = (0, 0.0)

    @rule(slot=st.sampled_from(SLOTS))
    def enter_a_guests_code(self, slot: int) -> None:
        self.throttle.take_back(slot, self._charge(slot))

    @rule(slot=st.sampled_from(SLOTS))
    def cut_power_during_a_check(self, slot: int) -> None:
        if self._charge(slot).admitted:
            count, first_s = self.since_right[slot]
            self.since_right[slot] = (count + 1, first_s if count else self.elapsed_s)
            self.guesses += 1  # the answer may have been seen
        self.reboot(0.0)

    @rule(uptime_s=st.floats(0, 1e6))
    def reboot(self, uptime_s: float) -> None:
        self.now_s = uptime_s
        self.throttle = self.throttle_class(self.saved, self.now_s, SMALL)

    @rule(seconds=st.one_of(st.floats(0, 100), st.floats(0, 5000)))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.elapsed_s += seconds

    @rule(back_s=st.floats(0, 5000))
    def clock_goes_back_for_one_attempt(self, back_s: float) -> None:
        # Back from a time that was seen: two late readings of a clock nobody looked at before are simply time passing.
        self._charge(STRANGERS[0])
        now_s, self.now_s = self.now_s, self.now_s - back_s
        self.guess(SLOTS[0], 1)
        self.now_s = now_s

    @invariant()
    def the_door_gives_no_more_than_its_budget(self) -> None:
        most = SMALL.door_guesses + self.elapsed_s / SMALL.door_refill_s + len(SLOTS) + self.right
        assert self.guesses <= most + 1e-6

    @invariant()
    def a_slot_gives_no_more_than_its_waits_allow(self) -> None:
        for count, first_s in self.since_right.values():
            least_s = sum(SMALL.wait_s(wrong) for wrong in range(1, count))
            assert self.elapsed_s - first_s >= least_s - 1e-3


EXAMPLES = settings(max_examples=120, stateful_step_count=40, deadline=None, print_blob=False)


@pytest.mark.slow
def test_no_interleaving_gives_more_than_the_stated_budget() -> None:
    run_state_machine_as_test(Guessing, settings=EXAMPLES)


WALKS = 1000
STEPS = 40


def broken(throttle_class: type[Throttle]) -> list[int]:
    """In which of the walks the stated bound breaks.

    The walks are drawn by nothing but their number: what Hypothesis draws, even with `derandomize`, depends on the
    constants in every module that happens to be imported, and one fault here is found in few of its lives.
    """
    found = []
    for number in range(WALKS):
        try:
            walk(machine_of(throttle_class), random.Random(number))
        except AssertionError:
            found.append(number)
    return found


def machine_of(throttle_class: type[Throttle]) -> Guessing:
    faulty: type[Guessing] = type("FaultyGuessing", (Guessing,), {"throttle_class": throttle_class})
    return faulty()


def walk(machine: Guessing, rng: random.Random) -> None:
    """The rules of the machine in any order, its invariants after each. Raises AssertionError."""
    rules: tuple[Callable[[], None], ...] = (
        lambda: machine.guess(rng.choice(SLOTS + STRANGERS), rng.randint(1, 12)),
        lambda: machine.enter_right(rng.choice(SLOTS)),
        lambda: machine.enter_a_guests_code(rng.choice(SLOTS)),
        lambda: machine.cut_power_during_a_check(rng.choice(SLOTS)),
        lambda: machine.reboot(rng.choice((0.0, rng.uniform(0, 1e6)))),
        lambda: machine.wait(rng.choice((rng.uniform(0, 100), rng.uniform(0, 5000)))),
        lambda: machine.clock_goes_back_for_one_attempt(rng.uniform(0, 5000)),
    )
    for _ in range(STEPS):
        rng.choice(rules)()
        machine.the_door_gives_no_more_than_its_budget()
        machine.a_slot_gives_no_more_than_its_waits_allow()


@pytest.mark.slow
def test_no_walk_gives_more_than_the_stated_budget() -> None:
    assert broken(Throttle) == []


class GivesBackOnRestart(Throttle):
    def __init__(self, counts: Counts, now_s: float, budget: Budget = BUDGET) -> None:
        super().__init__(Counts(0, {}), now_s, budget)


class TrustsTheClock(Throttle):
    def _advance(self, now_s: float, refill_s: float) -> float:
        self._door = max(0, self._door - int(abs(now_s - self._refilled_s) // refill_s))
        self._refilled_s = now_s
        return now_s


class ForgetsTheDoor(Throttle):
    def charge(self, slot: int, now_s: float, *, known: bool, residents: int) -> Admission:
        self._door = 0
        return super().charge(slot, now_s, known=known, residents=residents)


class ChargesOnlyOnce(Throttle):
    def charge(self, slot: int, now_s: float, *, known: bool, residents: int) -> Admission:
        admission = super().charge(slot, now_s, known=known, residents=residents)
        self._slots[slot] = min(self._slots.get(slot, 0), 2)
        self._opens_s.pop(slot, None)
        return admission


@pytest.mark.slow
@pytest.mark.parametrize("fault", [GivesBackOnRestart, TrustsTheClock, ForgetsTheDoor, ChargesOnlyOnce])
def test_each_seeded_fault_breaks_the_bound(fault: type[Throttle]) -> None:
    assert broken(fault)
