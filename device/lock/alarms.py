"""Which alarms stand, and what report hears of them. Pure.

Rules kept here:
- An alarm is told once when it is raised, and stands until its cause is gone; a breach stands until nobody broke the
  table of messages for a while, so that the next one is told again.
- ALARM_CLEARED takes back everything; what still stands is told anew.
"""

from __future__ import annotations

from device.lock.change import changed
from device.lock.state import Alarm, Effect, Rules, State, Tell
from device.wire import OccurrenceKind

Step = tuple[State, tuple[Effect, ...]]

HELP = Tell(OccurrenceKind.DURESS)  # somebody calls for help: this very one goes last of all (`machine`)

TOLD = {
    Alarm.FORCED_OPEN: OccurrenceKind.FORCED_OPEN,
    Alarm.HELD_OPEN: OccurrenceKind.HELD_OPEN,
    Alarm.TAMPER: OccurrenceKind.TAMPER,
    Alarm.BREACH: OccurrenceKind.BREACH,
    Alarm.BOLT_FAULT: OccurrenceKind.BOLT_FAULT,
}


def raised(state: State, alarm: Alarm) -> Step:
    """`alarm` stands from now on."""
    if alarm in state.alarms:
        return state, ()
    return changed(state, alarms=state.alarms | {alarm}), (Tell(TOLD[alarm]),)


def cleared(state: State, *alarms: Alarm) -> Step:
    """The causes of these are gone."""
    standing = state.alarms & set(alarms)
    if not standing:
        return state, ()
    state = changed(state, alarms=state.alarms - standing)
    rest = tuple(Tell(TOLD[alarm]) for alarm in Alarm if alarm in state.alarms)
    return state, (Tell(OccurrenceKind.ALARM_CLEARED), *rest)


def breach(state: State, now_ns: int, rules: Rules) -> Step:
    """Somebody broke the table of messages."""
    return raised(changed(state, breach_until_ns=now_ns + rules.quiet_ns), Alarm.BREACH)


def quiet(state: State, now_ns: int) -> Step:
    """A breach is over once nobody broke the table for long enough."""
    if not state.alarms or Alarm.BREACH not in state.alarms or now_ns < state.breach_until_ns:
        return state, ()
    return cleared(state, Alarm.BREACH)
