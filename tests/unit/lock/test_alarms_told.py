"""What report hears of alarms: each is told once for as long as it stands, and what still stands is told anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from device.lock import alarms, machine
from device.lock.state import (
    Alarm,
    BoltFailed,
    BoltObeys,
    Breached,
    DoorMoved,
    Effect,
    Event,
    State,
    TamperMoved,
    Tell,
    Tick,
)
from device.wire import OccurrenceKind
from tests.unit.lock.support import ALL_UP, FRESH, NOW, RULES, S

UP = State(up=ALL_UP, recognise_ready=True)
CLEARED = OccurrenceKind.ALARM_CLEARED
RAISING: dict[OccurrenceKind, Event] = {
    OccurrenceKind.TAMPER: TamperMoved(on=True),
    OccurrenceKind.BREACH: Breached(),
    OccurrenceKind.BOLT_FAULT: BoltFailed(),
}


def told(effects: tuple[Effect, ...]) -> list[OccurrenceKind]:
    return [each.kind for each in effects if isinstance(each, Tell)]


def heard(state: State, *events: Event, now_ns: int = NOW) -> tuple[State, list[OccurrenceKind]]:
    """What report hears of `events`, one after the other at one moment."""
    kinds: list[OccurrenceKind] = []
    for event in events:
        state, effects = machine.step(state, event, now_ns, FRESH, RULES)
        kinds += told(effects)
    return state, kinds


def told_again() -> list[OccurrenceKind]:
    """Alarms that are told a second time although they stand."""
    wrong = [kind for kind, event in RAISING.items() if heard(UP, event, event, event)[1] != [kind]]
    held = replace(UP, door_open=True, open_since_ns=NOW - RULES.held_open_ns)
    if heard(held, Tick(), Tick(), Breached())[1] != [OccurrenceKind.HELD_OPEN, OccurrenceKind.BREACH]:
        wrong.append(OccurrenceKind.HELD_OPEN)
    return wrong


def test_an_alarm_that_stands_is_told_once() -> None:
    assert told_again() == []


def test_a_lock_that_tells_it_with_every_event_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault: report would be flooded for as long as somebody leaves a door open."""

    def always(state: State, alarm: Alarm) -> alarms.Step:
        return replace(state, alarms=state.alarms | {alarm}), (Tell(alarms.TOLD[alarm]),)

    monkeypatch.setattr(alarms, "raised", always)
    assert set(told_again()) == {*RAISING, OccurrenceKind.HELD_OPEN}


def cleared_wrongly() -> list[Alarm]:
    """Alarms after whose end report knows of others than those that stand."""
    ends: dict[Alarm, Callable[[State], list[OccurrenceKind]]] = {
        Alarm.TAMPER: lambda state: heard(state, TamperMoved(on=False))[1],
        Alarm.BOLT_FAULT: lambda state: heard(state, BoltObeys())[1],
        Alarm.BREACH: lambda state: heard(state, Tick(), now_ns=NOW + RULES.quiet_ns + S)[1],
    }
    everything, _ = heard(UP, *RAISING.values())
    standing = replace(everything, alarms=everything.alarms | {Alarm.FORCED_OPEN})
    wrong = []
    for alarm, end in ends.items():
        first, *rest = end(standing)
        left = [alarms.TOLD[each] for each in Alarm if each in standing.alarms and each is not alarm]
        if first is not CLEARED or sorted(rest) != sorted(left):
            wrong.append(alarm)
    return wrong


def test_when_one_alarm_ends_those_that_stand_are_told_anew_and_no_others() -> None:
    assert cleared_wrongly() == []
    state, _ = heard(UP, TamperMoved(on=True))
    assert heard(state, TamperMoved(on=False))[1] == [CLEARED]
    assert heard(UP, TamperMoved(on=False))[1] == [], "nothing ended"


def test_a_door_that_falls_shut_leaves_the_other_alarms_standing() -> None:
    state, _ = heard(replace(UP, door_open=True, alarms=frozenset({Alarm.FORCED_OPEN})), TamperMoved(on=True))
    _, kinds = heard(state, DoorMoved(open=False))
    assert kinds == [CLEARED, OccurrenceKind.TAMPER]


def test_a_lock_that_forgets_what_stands_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded fault."""

    def alone(state: State, *ended: Alarm) -> alarms.Step:
        return replace(state, alarms=state.alarms - set(ended)), (Tell(CLEARED),)

    monkeypatch.setattr(alarms, "cleared", alone)
    assert set(cleared_wrongly()) == {Alarm.TAMPER, Alarm.BOLT_FAULT, Alarm.BREACH}
