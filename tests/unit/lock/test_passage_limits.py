"""Doors that open and fall shut, to the moment: a switch that says the same twice, and when to remind whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device.edges import Room
from device.lock import machine
from device.lock.keypad import Entry
from device.lock.state import (
    Alarm,
    Asked,
    Check,
    DoorMoved,
    Effect,
    Event,
    Inquiry,
    Secure,
    Show,
    Signal,
    State,
    Tick,
    Window,
)
from device.wire import LookMode
from tests.unit.lock.support import (
    ALL_UP,
    ASK_NONCE,
    FACE_NONCE,
    FRESH,
    NOW,
    PIN_NONCE,
    RULES,
    S,
)

UP = State(up=ALL_UP, recognise_ready=True)
OPEN = replace(UP, door_open=True, open_since_ns=NOW)
FIRST_NS = NOW + RULES.held_open_ns // 2
LAST_NS = NOW + RULES.held_open_ns + RULES.remind_for_ns
REMINDER = Show(Signal.CLOSE_DOOR)


def step(state: State, event: Event, now_ns: int) -> tuple[State, tuple[Effect, ...]]:
    return machine.step(state, event, now_ns, FRESH, RULES)


# ---- the same thing twice


def test_a_switch_that_says_twice_that_the_door_is_open_delays_no_alarm() -> None:
    again, effects = step(OPEN, DoorMoved(open=True), NOW + RULES.held_open_ns - S)
    assert (again, effects) == step(OPEN, Tick(), NOW + RULES.held_open_ns - S)
    assert Alarm.HELD_OPEN in step(again, Tick(), NOW + RULES.held_open_ns)[0].alarms


def test_a_door_that_is_open_already_is_not_forced_by_a_switch_that_says_so_again() -> None:
    state, _ = step(replace(OPEN, passage_until_ns=NOW), DoorMoved(open=True), NOW + S)
    assert state.alarms == frozenset()


def test_a_switch_that_says_twice_that_the_door_is_shut_ends_no_opening() -> None:
    granted = replace(UP, granted_until_ns=NOW + 3 * S, opened_while_granted=True)
    state, effects = step(granted, DoorMoved(open=False), NOW)
    assert state.granted_until_ns == NOW + 3 * S
    assert Secure() not in effects


def test_a_door_falls_shut_behind_somebody_and_is_locked_once() -> None:
    through = replace(OPEN, granted_until_ns=NOW + 3 * S, opened_while_granted=True)
    assert Secure() in step(through, DoorMoved(open=False), NOW + S)[1]
    late, effects = step(through, Tick(), NOW + 3 * S)
    assert Secure() in effects
    assert Secure() not in step(late, DoorMoved(open=False), NOW + 4 * S)[1], "it was locked when the time ran out"


def test_a_door_that_was_open_before_does_not_end_the_opening_of_whoever_comes_next() -> None:
    granted = replace(OPEN, granted_until_ns=NOW + 3 * S, opened_while_granted=False)
    state, effects = step(granted, DoorMoved(open=False), NOW + S)
    assert state.granted_until_ns == NOW + 3 * S
    assert Secure() not in effects


# ---- reminders


def test_nothing_that_happens_before_its_time_brings_a_reminder() -> None:
    for now_ns in (NOW, FIRST_NS - 1):
        assert REMINDER not in step(OPEN, Tick(), now_ns)[1]
    assert REMINDER in step(OPEN, Tick(), FIRST_NS)[1]


@pytest.mark.parametrize(("due_ns", "reminds"), [(LAST_NS, True), (LAST_NS + 1, False)])
def test_the_last_reminder_comes_at_the_end_of_its_time_and_none_after_it(due_ns: int, reminds: bool) -> None:
    state = replace(OPEN, alarms=frozenset({Alarm.HELD_OPEN}), reminded_ns=due_ns - RULES.remind_ns)
    assert (REMINDER in step(state, Tick(), due_ns)[1]) is reminds
    assert (machine.next_deadline_ns(state, RULES) == due_ns) is reminds


SERVED = {
    "a window": replace(
        OPEN,
        window=Window(LookMode.RECOGNISE, FACE_NONCE, FIRST_NS + S, 1),
        asked=(Asked(FACE_NONCE, Room.VAULT, FIRST_NS),),
    ),
    "an inquiry": replace(
        OPEN, inquiry=Inquiry(ASK_NONCE, 12, FIRST_NS + S), asked=(Asked(ASK_NONCE, Room.VAULT, FIRST_NS),)
    ),
    "a check": replace(
        OPEN,
        check=Check(PIN_NONCE, FIRST_NS + S, opens=True),
        asked=(Asked(PIN_NONCE, Room.KEEPER, FIRST_NS),),
    ),
    "an entry": replace(OPEN, entry=Entry("12", FIRST_NS)),
    "an opening": replace(OPEN, granted_until_ns=FIRST_NS + S),
}


@pytest.mark.parametrize("by", SERVED)
def test_whoever_is_served_is_not_told_to_close_the_door_meanwhile(by: str) -> None:
    assert REMINDER not in step(SERVED[by], Tick(), FIRST_NS)[1]
    over = replace(SERVED[by], window=None, inquiry=None, check=None, entry=None, granted_until_ns=None)
    assert REMINDER in step(over, Tick(), FIRST_NS)[1]
