"""A door that stands open is told to the people there, before it is an alarm."""

from dataclasses import replace

import pytest

from device.lock import machine
from device.lock.keypad import Entry
from device.lock.state import Alarm, DoorMoved, Effect, Key, Show, Signal, State, Tick
from tests.unit.lock.support import NOW, RULES, S

UP = State()
REMINDER = Show(Signal.CLOSE_DOOR)


def lived(state: State, until_ns: int, now_ns: int = NOW) -> list[tuple[int, Effect]]:
    """Every effect until `until_ns` of a loop that sleeps until the machine wants to be woken."""
    found: list[tuple[int, Effect]] = []
    turns = 0
    while (due := machine.next_deadline_ns(state, RULES)) is not None and due <= until_ns:
        assert due >= now_ns, "a deadline that is over keeps the loop awake"
        now_ns, turns = due, turns + 1
        assert turns < 200, "the loop turns in circles"
        state, effects = machine.step(state, Tick(), now_ns, bytes(16), RULES)
        found += [(now_ns, effect) for effect in effects]
    return found


def opened() -> State:
    return machine.step(replace(UP, exit_until_ns=NOW + 1), DoorMoved(open=True), NOW, bytes(16), RULES)[0]


def test_reminders_begin_before_the_alarm_and_come_again() -> None:
    told = lived(opened(), NOW + RULES.held_open_ns)
    times = [at for at, effect in told if effect == REMINDER]
    assert times[0] == NOW + RULES.held_open_ns // 2
    assert times[1] == times[0] + RULES.remind_ns
    assert times[-1] <= NOW + RULES.held_open_ns


def test_they_end_some_time_after_the_alarm_and_the_loop_sleeps() -> None:
    told = lived(opened(), NOW + 3600 * S)
    last = max(at for at, effect in told if effect == REMINDER)
    assert RULES.held_open_ns < last - NOW <= RULES.held_open_ns + RULES.remind_for_ns
    assert (
        machine.next_deadline_ns(replace(opened(), alarms=frozenset({Alarm.HELD_OPEN}), reminded_ns=last), RULES)
        is None
    )


def test_a_door_that_is_shut_is_nobodys_business() -> None:
    shut, _ = machine.step(opened(), DoorMoved(open=False), NOW + S, bytes(16), RULES)
    assert lived(shut, NOW + 3600 * S) == []


def test_each_opening_has_its_own_time() -> None:
    state = replace(opened(), reminded_ns=NOW - 1)
    assert next(at for at, effect in lived(state, NOW + RULES.held_open_ns) if effect == REMINDER) == (
        NOW + RULES.held_open_ns // 2
    )


@pytest.mark.parametrize("served", ["typing", "granted"])
def test_nobody_is_disturbed_while_the_door_serves_them(served: str) -> None:
    late = NOW + RULES.held_open_ns // 2
    state = opened()
    if served == "typing":
        state = replace(state, entry=Entry("12", late))
    else:
        state = replace(state, granted_until_ns=late + 3 * S)
    _, effects = machine.step(state, Key("1"), late + S, bytes(16), RULES)
    assert REMINDER not in effects
