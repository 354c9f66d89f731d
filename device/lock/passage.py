"""The door itself: opened, shut, forced, held, tampered with; the bolt that fails. Pure, part of `machine`.

Rules kept here:
- The way out never passes through software: a request to exit silences an alarm and moves nothing.
- A door that opens while granted, within `passage_ns` after, or after a request to exit, was let open; any other
  opening is forced. Where no request-to-exit is wired nobody can tell, and nothing is said.
- A door that stands open is told to the people there before it is told to anybody else: from half of the time after
  which it is an alarm, every `remind_ns`, for a while, and never while somebody is being served.
- A grant ends early only if the door was opened during it: a door that falls shut behind somebody else cancels
  nobody's.
"""

from __future__ import annotations

from device.lock import alarms
from device.lock.alarms import Step
from device.lock.change import changed
from device.lock.state import (
    Alarm,
    BoltFailed,
    BoltObeys,
    Breached,
    DoorMoved,
    Effect,
    ExitRequested,
    Rules,
    Secure,
    Show,
    Signal,
    State,
    TamperMoved,
)


def door_moved(state: State, event: DoorMoved, now_ns: int, _fresh: bytes, rules: Rules) -> Step:
    """The door position switch changed."""
    if event.open == state.door_open:
        return state, ()
    if event.open:
        granted = state.granted_until_ns is not None
        state = changed(state, door_open=True, open_since_ns=now_ns, opened_while_granted=granted)
        expected = granted or now_ns < max(state.exit_until_ns, state.passage_until_ns) or not rules.exit_wired
        if expected:
            return state, ()
        return alarms.raised(state, Alarm.FORCED_OPEN)
    state = changed(state, door_open=False)
    effects: tuple[Effect, ...] = ()
    if state.granted_until_ns is not None and state.opened_while_granted:
        # Somebody went through and the door fell shut: lock behind them instead of waiting for the time to run out.
        state, effects = changed(state, granted_until_ns=None), (Secure(),)
    state, cleared = alarms.cleared(state, Alarm.HELD_OPEN, Alarm.FORCED_OPEN)
    return state, effects + cleared


def reminder_ns(state: State, rules: Rules) -> int | None:
    """When the next reminder is due; None while there is nothing to remind of, or somebody is being served."""
    served = state.window or state.inquiry or state.check or state.entry or state.granted_until_ns is not None
    if served or not state.door_open:
        return None
    due_ns = max(state.open_since_ns + rules.held_open_ns // 2, state.reminded_ns + rules.remind_ns)
    return due_ns if due_ns <= state.open_since_ns + rules.held_open_ns + rules.remind_for_ns else None


def stood_open(state: State, now_ns: int, rules: Rules) -> Step:
    """The door stands open: an alarm, if it does for too long, and a reminder, if it is time."""
    effects: tuple[Effect, ...] = ()
    if now_ns - state.open_since_ns >= rules.held_open_ns:
        state, effects = alarms.raised(state, Alarm.HELD_OPEN)
    due_ns = reminder_ns(state, rules)
    if due_ns is None or now_ns < due_ns:
        return state, effects
    return changed(state, reminded_ns=now_ns), (*effects, Show(Signal.CLOSE_DOOR))


def tamper_moved(state: State, event: TamperMoved, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """The housing was opened or closed."""
    return alarms.raised(state, Alarm.TAMPER) if event.on else alarms.cleared(state, Alarm.TAMPER)


def exit_requested(state: State, _event: ExitRequested, now_ns: int, _fresh: bytes, rules: Rules) -> Step:
    """Somebody is about to leave."""
    return changed(state, exit_until_ns=now_ns + rules.exit_ns), ()


def breached(state: State, _event: Breached, now_ns: int, _fresh: bytes, rules: Rules) -> Step:
    """Somebody broke the table of messages."""
    return alarms.breach(state, now_ns, rules)


def bolt_obeys(state: State, _event: BoltObeys, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """It could be driven again."""
    return alarms.cleared(state, Alarm.BOLT_FAULT)


def bolt_failed(state: State, _event: BoltFailed, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """The bolt's line could not be driven."""
    state, raised = alarms.raised(changed(state, granted_until_ns=None), Alarm.BOLT_FAULT)
    return state, (Secure(), *raised)
