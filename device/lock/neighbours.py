"""The other rooms come and go. Pure, part of `machine`.

Rules kept here:
- report starts from nothing: what stands is told to it anew, so that its restart hides no alarm and no call for help.
- With a room goes what it was asked, and what hung on it: the window with eye or vault, the check with keeper. The one
  that comes back is another one.
"""

from __future__ import annotations

from device.edges import Room
from device.lock import alarms, card, window
from device.lock.alarms import HELP, Step
from device.lock.change import changed
from device.lock.state import Alarm, Effect, PeerDown, PeerUp, Rules, Show, Signal, State, Tell
from device.wire import CameraCondition, Ending, LookMode, OccurrenceKind

_GONE_TOLD = {
    Room.VAULT: (OccurrenceKind.VAULT_GONE, OccurrenceKind.VAULT_BACK),
    Room.KEEPER: (OccurrenceKind.KEEPER_GONE, OccurrenceKind.KEEPER_BACK),
    Room.EYE: (OccurrenceKind.CAMERA_FAULT, OccurrenceKind.CAMERA_WELL),
}


def came(state: State, event: PeerUp, _now_ns: int, _fresh: bytes, rules: Rules) -> Step:
    """A room is there."""
    state = changed(state, up=state.up | {event.room})
    if event.room is Room.REPORT:
        # report starts from nothing: tell it what stands, so that a restart of it hides no alarm.
        away = tuple(Tell(told[0]) for room, told in _GONE_TOLD.items() if room not in state.up)
        standing = tuple(Tell(alarms.TOLD[alarm]) for alarm in Alarm if alarm in state.alarms)
        fault = (Tell(OccurrenceKind.CAMERA_FAULT),) if state.camera is CameraCondition.FAULT else ()
        owed = (HELP,) if state.help_owed else ()
        ended = (Tell(OccurrenceKind.RETIRED),) if rules.ending is Ending.RETIRED else ()
        return changed(state, help_owed=False), (Tell(OccurrenceKind.STARTED), *away, *fault, *standing, *ended, *owed)
    told = _GONE_TOLD.get(event.room)
    return state, (Tell(told[1]),) if told else ()


def gone(state: State, event: PeerDown, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """A room is gone, and what was asked of it with it."""
    room = event.room
    state = changed(state, up=state.up - {room})
    told = _GONE_TOLD.get(room)
    effects: tuple[Effect, ...] = (Tell(told[0]),) if told else ()
    if room is Room.VAULT:
        state = changed(state, recognise_ready=False, enrol_ready=False, claim_first_ready=False)
        state = changed(state, enrol_mode=LookMode.ENROL)
    if room is Room.EYE:
        state = changed(state, camera=CameraCondition.IDLE)
    if room in (Room.EYE, Room.VAULT):
        state, closed = window.ended(state, Signal.USE_PIN_OR_CARD)
        effects += closed
    if room is Room.KEEPER and state.check:
        effects = (*effects, Show(Signal.REFUSED), *card.let_go(state.check))
        state = changed(state, check=None)
    # A reply to what was asked of a room that is gone can no longer come from the one that was asked.
    return changed(state, asked=tuple([asked for asked in state.asked if asked.room is not room])), effects
