"""The face window: when the camera may look, for whom, and what the lamp says meanwhile. Pure, part of `machine`.

Rules kept here:
- *No press, no pixels.* A window is the answer to `FaceButton` and to nothing else: at once, or, if a flat was typed
  before the press, after vault said of the very question this press asked that the flat has a face awake. It ends with
  its time, its last approach, a verdict, the loss of eye or vault, or vault's word that it is of no use any more.
- *Claim first.* A flat typed before the press always counts, on every door: the camera looks for that flat alone, and
  no other face is known in that window, whatever vault says. Where too many faces are awake for the false-open budget
  (`claim_first_ready`) a press without one opens nothing. An enrolment that is pending comes first; its window carries
  no claim.
- A flat that was typed is used up by the press, whatever comes of it: left standing it would run into the keys of
  whoever now types flat and PIN instead, and cost them a guess. Any other half entry is left alone.
- vault silent, vault gone, face asleep, paused, erased, never enrolled, an hour in which the door's policy opens by no
  face: one and the same Signal.USE_PIN_OR_CARD. In such an hour no window opens, not even to enrol, and one that is
  open closes.
- The lamp is lit before `Look` is sent. It goes out with the window; a read that is under way when `Close` arrives
  still exposes a frame, so it waits for eye's word that the camera is closed, but never longer than `fading_ns`. eye's
  word alone never lights it, and neither does a question to vault.
- vault hears of every approach before eye does, and of its end: it listens to eye on nothing else.
- *One answered challenge opens no door.* Where a face alone opens and the lights are fitted, two approaches of one
  window have to show the same face, each after a light challenge of its own; whoever else is recognised in between
  begins anew. Such a window has more approaches (`approaches_twice`), and no more time. If only one was answered when
  it ends, that face stands for its flat, and the PIN is asked for.
- Where eye asked for a motion challenge, the face of that approach needs its PIN, whatever vault says of it and whether
  or not lock could drive one: a film that guesses well turns as asked, too.
- Where a face needs a PIN besides, every window ends alike: after all its approaches, known face or not, and with the
  question for the PIN, so that neither the answer nor how long the lamp burns tells a photograph whose face is known.
  Where a face alone opens, a known face can be told from an unknown one in any case; a face that never opens without
  its PIN (`Outcome.WITH_PIN`) then shows by the question.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

from device import wire
from device.edges import Room
from device.lock import keypad
from device.lock.alarms import Step
from device.lock.change import changed
from device.lock.state import (
    Asked,
    Claim,
    Effect,
    FaceButton,
    Inquiry,
    Lamp,
    Rules,
    Send,
    Show,
    Signal,
    State,
    Tell,
    Window,
)
from device.policy.methods import ANY_FACE
from device.wire import NOBODY, CameraCondition, LookMode, OccurrenceKind, Outcome

_ANY_FACE = int(ANY_FACE)  # as a number: Python makes a flag of two flags in several calls

_CLOSES = (Send(Room.EYE, wire.Close()), Send(Room.VAULT, wire.Close()))


class Worth(Enum):
    """What a verdict of vault is worth in a window."""

    NOTHING = auto()
    PIN = auto()  # the face stands for its flat; the PIN decides
    ONCE = auto()  # a second challenge has to be answered by the same face
    OPENS = auto()


# ---- it opens


def pressed(state: State, _event: FaceButton, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """Somebody pressed the face button."""
    if state.window or state.inquiry or state.granted_until_ns is not None:
        return state, ()
    claim = keypad.claimed(state.entry)
    if claim is not None:
        state = changed(state, entry=None)
    if not _can_look(state, rules):
        return state, (Show(Signal.USE_PIN_OR_CARD),)
    if state.enrol_ready:
        return _opened(state, state.enrol_mode, NOBODY, now_ns, fresh, rules)
    if claim is not None:
        state = changed(state, inquiry=Inquiry(fresh, claim, now_ns + rules.inquiry_ns))
        return _asked(state, fresh, now_ns), (Send(Room.VAULT, wire.AskClaim(fresh, claim)), Show(Signal.WAIT))
    if state.claim_first_ready:
        return state, (Show(Signal.CLAIM_FIRST),)
    return _opened(state, LookMode.RECOGNISE, NOBODY, now_ns, fresh, rules)


def claim_answered(state: State, answer: wire.ClaimAnswer, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """Whether the claim of an inquiry has a face awake, as vault says. A late answer answers nothing."""
    inquiry = state.inquiry
    if inquiry is None or inquiry.nonce != answer.nonce:
        return state, ()
    state = changed(state, inquiry=None)
    if not answer.awake or not _can_look(state, rules) or state.granted_until_ns is not None:
        return state, (Show(Signal.USE_PIN_OR_CARD),)
    return _opened(state, LookMode.RECOGNISE, inquiry.slot, now_ns, fresh, rules)


def opens_by_face(rules: Rules) -> bool:
    """Whether a face opens anything at this moment, alone or with its PIN."""
    return int(rules.methods) & _ANY_FACE != 0


def _can_look(state: State, rules: Rules) -> bool:
    ready = state.enrol_ready or state.recognise_ready or state.claim_first_ready
    return (
        ready
        and opens_by_face(rules)
        and {Room.EYE, Room.VAULT} <= state.up
        and state.camera is not CameraCondition.FAULT
    )


def _opened(state: State, mode: LookMode, claim: int, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    most = rules.approaches_twice if rules.twice and not mode.enrols else rules.approaches
    window = Window(mode, fresh, now_ns + rules.window_ns, most - 1, claim)
    state, effects = _approach(state, window, now_ns)
    return state, (Show(Signal.LOOK), *effects)


def _approach(state: State, window: Window, now_ns: int) -> Step:
    told = wire.Window(window.nonce, window.mode, window.claim)
    look = wire.Look(window.nonce, window.mode)
    state = _asked(changed(state, window=window), window.nonce, now_ns)
    if window.mode is LookMode.RECOGNISE:  # eye may ask for its light challenge, and for a motion challenge after it
        requests = tuple(Asked(window.nonce, Room.EYE, now_ns, motion) for motion in (False, True))
        state = changed(state, asked=(*state.asked, *requests))
    return state, (Send(Room.VAULT, told), Send(Room.EYE, look))


def _asked(state: State, nonce: bytes, now_ns: int) -> State:
    return changed(state, asked=(*state.asked, Asked(nonce, Room.VAULT, now_ns)))


# ---- what was seen


def doubted(state: State, nonce: bytes) -> State:
    """Eye wants whoever stands there to turn: in the approach `nonce` a face alone opens nothing any more."""
    if state.window is None or state.window.nonce != nonce:
        return state
    return changed(state, window=replace(state.window, doubted=True))


def worth(window: Window, verdict: wire.Verdict, rules: Rules) -> Worth:
    """What a verdict is worth that answers `window` in time; another slot than the claimed one is nobody."""
    if verdict.slot == NOBODY or window.claim not in (NOBODY, verdict.slot):
        return Worth.NOTHING
    match verdict.outcome:
        case Outcome.ACCEPTED:
            if not rules.face_alone_opens or window.doubted:
                return Worth.PIN
            return Worth.OPENS if not rules.twice or window.answered == verdict.slot else Worth.ONCE
        case Outcome.WITH_PIN:
            return Worth.PIN
        case Outcome.REFUSED | Outcome.DURESS | Outcome.USED:  # the last two are no verdicts of vault's: keeper's alone
            return Worth.NOTHING


def named(state: State, slot: int, now_ns: int, rules: Rules) -> Step:
    """The face stands for its flat number, nobody's for none, and both are asked for the PIN."""
    return ended(changed(state, claim=Claim(slot, now_ns + rules.claim_ns)), Signal.ENTER_PIN)


def recognised(state: State, window: Window, slot: int, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """A known face that needs the PIN besides. Where every face does, the window goes on as for anybody's."""
    if rules.face_alone_opens:
        return named(state, slot, now_ns, rules)
    return refused(state, replace(window, known=window.known or slot), now_ns, fresh, rules)


def once(state: State, window: Window, slot: int, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """A known face that answered one challenge: it takes the place of whoever did before, and is asked another one."""
    return refused(state, replace(window, answered=slot), now_ns, fresh, rules)


def refused(state: State, window: Window, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """This approach opened nothing: the next one, or none is left."""
    if window.approaches_left == 0:
        return _over(changed(state, window=window), now_ns, rules)
    again = replace(window, nonce=fresh, approaches_left=window.approaches_left - 1, doubted=False)
    return _approach(state, again, now_ns)


def _over(state: State, now_ns: int, rules: Rules) -> Step:
    window = state.window
    if window is None or window.mode.enrols or (rules.face_alone_opens and window.answered == NOBODY):
        return ended(state, Signal.REFUSED)
    return named(state, window.known or window.answered, now_ns, rules)


# ---- it ends


def ended(state: State, signal: Signal) -> Step:
    """The window closes, or the question whether to open one is dropped. Without either nothing happens."""
    if state.inquiry:
        return changed(state, inquiry=None), (Show(signal),)
    if state.window is None:
        return state, ()
    return changed(state, window=None), (*_CLOSES, Show(signal))


def expired(state: State, now_ns: int, rules: Rules) -> Step:
    """What has run out of time by `now_ns`."""
    if state.inquiry and now_ns >= state.inquiry.until_ns:
        return ended(state, Signal.USE_PIN_OR_CARD)
    if (state.window or state.inquiry) and not opens_by_face(rules):
        return ended(state, Signal.USE_PIN_OR_CARD)
    if state.window and now_ns >= state.window.until_ns:
        return _over(state, now_ns, rules)
    return state, ()


def readiness(state: State, ready: wire.FaceReady) -> Step:
    """What a press is good for from now on, as vault says."""
    state = changed(
        state,
        recognise_ready=ready.recognise,
        enrol_ready=ready.enrol,
        enrol_mode=LookMode.ENROL_COVERED if ready.covered else LookMode.ENROL,
        claim_first_ready=ready.claim_first,
    )
    window, somebody = state.window, ready.recognise or ready.claim_first
    if window is None:
        return (state, ()) if somebody else ended(state, Signal.USE_PIN_OR_CARD)
    if window.mode.enrols:
        # Given up, or begun anew in the other way: the camera has nothing to look for.
        wanted = ready.enrol and window.mode is state.enrol_mode
        return (state, ()) if wanted else ended(state, Signal.REFUSED)
    if window.claim == NOBODY and ready.claim_first:
        return ended(state, Signal.CLAIM_FIRST)
    return (state, ()) if somebody else ended(state, Signal.USE_PIN_OR_CARD)


def enrolment_ended(state: State, nonce: bytes, result: wire.Result) -> Step:
    """An enrolment window is over: vault has what it needs, or will not get it."""
    if state.window is None or state.window.nonce != nonce:
        return state, ()
    return ended(state, Signal.ENTER_PIN if result is wire.Result.CONFIRM else Signal.REFUSED)


def camera_says(state: State, condition: CameraCondition) -> Step:
    """What the camera does, as eye says."""
    if condition is state.camera:
        return state, ()
    before, state = state.camera, changed(state, camera=condition)
    effects: tuple[Effect, ...] = ()
    if condition is CameraCondition.FAULT:
        state, effects = ended(state, Signal.USE_PIN_OR_CARD)
        effects = (Tell(OccurrenceKind.CAMERA_FAULT), *effects)
    elif before is CameraCondition.FAULT:
        effects = (Tell(OccurrenceKind.CAMERA_WELL),)
    return state, effects


# ---- the lamp


def lit(state: State) -> bool:
    """Whether the lamp is on."""
    return state.window is not None or state.fading_until_ns is not None


def fading(state: State, *, was_open: bool, now_ns: int, rules: Rules) -> State:
    """The lamp waits for a read that was under way when the window closed."""
    if state.window or state.camera is not CameraCondition.STREAMING:
        until = None
    elif was_open:
        until = now_ns + rules.fading_ns
    else:
        until = state.fading_until_ns if state.fading_until_ns and now_ns < state.fading_until_ns else None
    return state if until == state.fading_until_ns else changed(state, fading_until_ns=until)


def with_lamp(was_lit: bool, is_lit: bool, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:  # noqa: FBT001 - levels
    """`effects` with the lamp lit before all of them, or put out after."""
    if is_lit == was_lit:
        return effects
    return (Lamp(on=True), *effects) if is_lit else (*effects, Lamp(on=False))
