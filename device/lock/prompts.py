"""The motion challenge in the machine: when somebody may be asked to turn, which lights ask, and what eye is told.

Rules kept here:
- It is a second line: only for the approach of this moment, after eye was told what its light challenge was, once in a
  window, and only if enough of the window is left for eye and vault to make something of it.
- Where to is drawn from `fresh` of the event that asks for it. Nothing else is made of those 16 bytes, and nothing that
  leaves lock depends on them before the lights do.
- Both lights burn at rest for LEAD_MS before the first prompt, so that none begins with a light that burns already. No
  prompt is shorter than PROMPT_MS, however late the one before it came.
- The log says what was asked when the lights asked it. An approach that ends, by a verdict or with its window, ends its
  motion challenge: lock sends no log of it, and the lights go back to rest.
- It decides nothing. That eye asked for it at all is kept in the window (`window.doubted`), with lights and without.

Pure, part of `lights`, which keeps the pace. Nothing that a person hears is new: the rhythm that says that the camera
looks is played once more, so that whoever has looked away looks again.
"""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.challenge import MS, REST, Lights, may_change_ns
from device.edges import Room
from device.lock.change import changed
from device.lock.state import Effect, Motion, Send, Show, Signal, State, Window
from device.motion import LEAD_MS, LIGHTS, MARGIN_MS, PROMPT_MS, PROMPTS, draw

_WHOLE_NS = (LEAD_MS + PROMPTS * PROMPT_MS + MARGIN_MS) * MS


def asked(state: State, nonce: bytes, now_ns: int, fresh: bytes) -> State:
    """Eye asks for a motion challenge. What is too early, too late, or a second one in the window, is nothing.

    Where no lights are fitted, and in a window that enrols, there is no light challenge that it could come after.
    """
    window, challenge = state.window, state.challenge
    if window is None or window.nonce != nonce or _had(state, window):
        return state
    if challenge is None or challenge.nonce != nonce or not challenge.over:
        return state
    begins_ns = now_ns if state.lights == REST else max(now_ns, may_change_ns(state.lights_changed_ns))
    if begins_ns + _WHOLE_NS > window.until_ns:
        return state
    return changed(state, motion=Motion(nonce, window.until_ns, draw(fresh)))


def current(state: State) -> Motion | None:
    """The last motion challenge, over if its approach is; None while the camera is closed."""
    window, motion = state.window, state.motion
    if motion is None or window is None:
        return None
    return motion if motion.nonce == window.nonce else replace(motion, over=True)


def lingers(state: State) -> bool:
    """Whether what burns is a prompt of a motion challenge that is over: nobody is to turn to it any more."""
    motion = state.motion
    if motion is None or not motion.over:
        return False
    return state.lights != REST and state.lights_changed_ns[-1:] == motion.began_ns[-1:]


def due_ns(motion: Motion, burning: Lights, pace_ns: int) -> int:
    """When a motion challenge that is not over needs the lights next, which may change from `pace_ns` on."""
    if motion.rest_ns is None:
        return 0 if burning == REST else pace_ns
    last_ns, lasts_ms = (motion.began_ns[-1], PROMPT_MS) if motion.began_ns else (motion.rest_ns, LEAD_MS)
    return max(last_ns + lasts_ms * MS, pace_ns)


def driven(motion: Motion, now_ns: int) -> tuple[Motion, Lights, tuple[Effect, ...]]:
    """What is due at `now_ns`: the motion challenge after it, what burns from now on, and what else happens."""
    if motion.rest_ns is None:
        return replace(motion, rest_ns=now_ns), REST, (Show(Signal.LOOK),)
    made = len(motion.began_ns)
    if made == PROMPTS:
        return replace(motion, over=True), REST, (Send(Room.EYE, _log(motion, now_ns)),)
    return replace(motion, began_ns=(*motion.began_ns, now_ns)), LIGHTS[motion.asked[made]], ()


def _had(state: State, window: Window) -> bool:
    """Whether this very window has had its motion challenge: no two windows end at one time."""
    return state.motion is not None and state.motion.until_ns == window.until_ns


def _log(motion: Motion, ended_ns: int) -> wire.MotionLog:
    (one, two, three), (first_ns, second_ns, third_ns) = motion.asked, motion.began_ns
    return wire.MotionLog(motion.nonce, one, two, three, first_ns, second_ns, third_ns, ended_ns)
