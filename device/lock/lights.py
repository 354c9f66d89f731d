"""The two white lights beside the lens: what burns, at which pace, and the challenges. Pure, part of `machine`.

Rules kept here:
- Lights burn in a window and nowhere else: at rest from its beginning, out after its end. Whatever is due waits until
  the pace of `device.challenge` permits it: three changes in any second, over all that asks for one.
- A challenge is driven for the approach that eye names, if it is the current one, once, and in a window that
  recognises. It waits until every code keeps the pace, so that its beginning says nothing about the code.
- The code is drawn from `fresh` of the event that asks for it. Nothing else is made of those 16 bytes, and nothing that
  leaves lock depends on them before the lights do.
- The log says what was driven when it was driven. A light that came late still has its shortest time; whether it came
  too late is eye's to judge.
- An approach that ends, by a verdict or with its window, ends its challenge: lock sends no log of it.
- The motion challenge (`prompts`) is driven here as well, so that the pace holds over everything.
- Lights decide nothing: no other part of the state depends on them. Where none are fitted, nothing here happens.
"""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.challenge import CHANGES, LAST_MS, LASTS_MS, MS, OFF, REST, Lights, draw, may_begin_ns, may_change_ns
from device.edges import Room
from device.lock import prompts
from device.lock.alarms import Step
from device.lock.change import changed
from device.lock.state import Challenge, Rules, Send, State
from device.wire import LookMode


def at_start(now_ns: int) -> State:
    """The state of a process that begins at `now_ns`: as if the lights had changed as often as they may just now.

    What the process before this one did to them, and whether they fell dark when it ended, is not known.
    """
    return State(lights_changed_ns=(now_ns,) * CHANGES)


def asked(state: State, nonce: bytes, fresh: bytes, rules: Rules) -> State:
    """Eye asks for a challenge. One for an approach that is over is late, and a second one for the same is nothing."""
    window, challenge = state.window, state.challenge
    if not rules.lights or window is None or window.nonce != nonce or window.mode is not LookMode.RECOGNISE:
        return state
    if challenge is not None and challenge.nonce == nonce:
        return state
    burning = REST if _rests(state) else state.lights
    return changed(state, challenge=Challenge(nonce, draw(fresh, burning)))


def deadline_ns(state: State, rules: Rules) -> int | None:
    """When the lights have something to do; None while they have not."""
    return _due_ns(state) if rules.lights else None


def driven(state: State, now_ns: int, rules: Rules) -> Step:
    """What is due for the lights at `now_ns`: one change at most, or the log."""
    if not rules.lights:
        return state, ()
    challenge = state.challenge
    if challenge is not None and (state.window is None or state.window.nonce != challenge.nonce):
        state, challenge = changed(state, challenge=None), None
    if (motion := prompts.current(state)) != state.motion:
        state = changed(state, motion=motion)
    due_ns = _due_ns(state)
    if due_ns is None or now_ns < due_ns:
        return state, ()
    if state.window is None:
        return _changed(state, OFF, now_ns)
    if _rests(state):
        return _changed(state, REST, now_ns)
    if motion is not None and not motion.over:
        motion, following, effects = prompts.driven(motion, now_ns)
        state, shone = _changed(changed(state, motion=motion), following, now_ns)
        return state, (*shone, *effects)
    if challenge is None:  # nothing is due then
        return state, ()
    if len(challenge.made) > CHANGES:
        return changed(state, challenge=replace(challenge, over=True)), (Send(Room.EYE, _log(challenge, now_ns)),)
    following = challenge.code.lights[len(challenge.made) - 1] if challenge.made else state.lights
    state = changed(state, challenge=replace(challenge, made=(*challenge.made, (now_ns, following))))
    return _changed(state, following, now_ns) if challenge.made else (state, ())


def _due_ns(state: State) -> int | None:
    pace_ns, challenge = may_change_ns(state.lights_changed_ns), state.challenge
    if state.window is None:
        return None if state.lights == OFF else pace_ns
    if _rests(state):
        return pace_ns
    if state.motion is not None and not state.motion.over:
        return prompts.due_ns(state.motion, state.lights, pace_ns)
    if challenge is None or challenge.over:
        return None
    if not challenge.made:
        return may_begin_ns(0, state.lights_changed_ns)
    made, last_ns = len(challenge.made), challenge.made[-1][0]
    if made > CHANGES:
        return last_ns + LAST_MS * MS
    planned_ns = challenge.made[0][0] + challenge.code.offsets_ms[made - 1] * MS
    lasted_ns = last_ns + LASTS_MS[0] * MS if made > 1 else 0
    return max(planned_ns, lasted_ns, pace_ns)


def _rests(state: State) -> bool:
    """Whether the lights are to burn at rest before anything else."""
    return state.lights == OFF or prompts.lingers(state)


def _changed(state: State, lights: Lights, now_ns: int) -> Step:
    if lights == state.lights:
        return state, ()
    changed_ns = (*state.lights_changed_ns, now_ns)[-CHANGES:]
    return changed(state, lights=lights, lights_changed_ns=changed_ns), (lights,)


def _log(challenge: Challenge, ended_ns: int) -> wire.ChallengeLog:
    (began_ns, first), *changes = challenge.made
    (at_1_ns, second), (at_2_ns, third), (at_3_ns, fourth) = changes
    return wire.ChallengeLog(
        nonce=challenge.nonce,
        began_ns=began_ns,
        left_0=first.left,
        right_0=first.right,
        at_1_ns=at_1_ns,
        left_1=second.left,
        right_1=second.right,
        at_2_ns=at_2_ns,
        left_2=third.left,
        right_2=third.right,
        at_3_ns=at_3_ns,
        left_3=fourth.left,
        right_3=fourth.right,
        ended_ns=ended_ns,
    )
