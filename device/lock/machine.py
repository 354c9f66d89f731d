"""The door's decisions as a pure function: `step(state, event, now_ns, fresh, rules) -> (state, effects)`.

Rules kept here:
- *Granted implies an authorised decision at most `unlock_ns` ago.* `Release` is made in one place, `_decide`, reached
  only by an accepted `Verdict` with an outstanding nonce, from the room that was asked, stamped at most 500 ms ago, and
  by a method that the policy in force allows at that moment (`rules.methods`), for a slot whose own hours it is
  (`rules.barred`).
- A face alone reaches it by the second of two approaches that showed it, at a door with lights (`window`).
- A face that needs a PIN besides (`Outcome.WITH_PIN`, a door on which every face does, an approach in which eye asked
  for a motion challenge) never reaches it.
- *No press, no pixels.* What opens the camera, and what the lamp says, stands in `window`.
- The two white lights follow the window and eye's requests for challenges (`lights`, `prompts`), and decide nothing.
- Every nonce is answered once. Keys never open the camera; the camera never disturbs the keys, but for a flat number
  that the press refers to.
- Every refusal looks the same: Signal.REFUSED. One says more, and only to whoever shows what was right before: an
  invitation that was used to move in, or, to open, the PIN of a place that was offered anew: Signal.TELL_MANAGER.
- A door found open at the start counts as forced: lock cannot know who opened it.
- A duress PIN does what the PIN does, and report hears of it; nothing at the door looks, sounds or lasts any different.
- While the end of the door is announced, everybody who was let in hears of it, once what they were told before is over.
- A proof for the end of the door is a PIN that was asked for exactly that, a minute ago at most; it opens nothing.
- The way out is not here: a request to exit silences an alarm and moves nothing.

docs/architecture.md draws the states. `fresh` is 16 random bytes from the caller, used at most once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device import wire
from device.edges import Room
from device.lock import alarms, card, keypad, lights, neighbours, passage, prompts, typed, window
from device.lock.alarms import HELP
from device.lock.change import changed
from device.lock.state import (
    Alarm,
    Asked,
    BoltFailed,
    BoltObeys,
    Breached,
    Came,
    CardCame,
    CardLeft,
    CardReplied,
    DoorMoved,
    Effect,
    Event,
    ExitRequested,
    FaceButton,
    Key,
    NumberRead,
    PeerDown,
    PeerUp,
    Release,
    Rules,
    Secure,
    Show,
    Signal,
    State,
    TamperMoved,
    Tell,
    Tick,
)
from device.lock.window import Worth
from device.policy.methods import Method
from device.wire import Ending, LookMode, OccurrenceKind, Outcome

Step = tuple[State, tuple[Effect, ...]]

_ACCEPTED = frozenset({Outcome.ACCEPTED, Outcome.DURESS})


def step(state: State, event: Event, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """What `event` makes of `state` at `now_ns`. Time that has run out is dealt with first."""
    was_lit, was_open = window.lit(state), state.window is not None
    state, before = _expire(state, now_ns, rules)
    handler: Callable[[State, Any, int, bytes, Rules], Step] | None = _HANDLERS.get(type(event))
    after: tuple[Effect, ...] = ()
    if handler is not None:
        state, after = handler(state, event, now_ns, fresh, rules)
    state = window.fading(state, was_open=was_open, now_ns=now_ns, rules=rules)
    state, shining = lights.driven(state, now_ns, rules)
    return state, _help_last((*window.with_lamp(was_lit, window.lit(state), before + after), *shining))


def next_deadline_ns(state: State, rules: Rules) -> int | None:
    """When the next `Tick` is due, or None while nothing runs."""
    ends = [
        state.granted_until_ns,
        state.window.until_ns if state.window else None,
        state.inquiry.until_ns if state.inquiry else None,
        state.fading_until_ns,
        state.announce_at_ns,
        state.proven_until_ns,
        state.claim.until_ns if state.claim else None,
        state.breach_until_ns if Alarm.BREACH in state.alarms else None,
        state.check.until_ns if state.check else None,
        state.entry.last_ns + keypad.KEY_TIMEOUT_NS + 1 if state.entry else None,
        state.open_since_ns + rules.held_open_ns if state.door_open and Alarm.HELD_OPEN not in state.alarms else None,
        passage.reminder_ns(state, rules),
        lights.deadline_ns(state, rules),
    ]
    return min((end for end in ends if end is not None), default=None)


# ---- time


def _expire(state: State, now_ns: int, rules: Rules) -> Step:
    effects: tuple[Effect, ...] = ()
    if state.granted_until_ns is not None and now_ns >= state.granted_until_ns:
        late_ns = state.granted_until_ns + rules.passage_ns
        state, effects = changed(state, granted_until_ns=None, passage_until_ns=late_ns), (Secure(),)
    if state.announce_at_ns is not None and now_ns >= state.announce_at_ns:
        state, effects = changed(state, announce_at_ns=None), (*effects, Show(Signal.DOOR_ENDS))
    if state.proven_until_ns is not None and now_ns >= state.proven_until_ns:
        state = changed(state, proven_until_ns=None)
    if state.window or state.inquiry:
        state, closed = window.expired(state, now_ns, rules)
        effects += closed
    if state.claim and now_ns >= state.claim.until_ns:
        state = changed(state, claim=None)
    if state.alarms:
        state, cleared = alarms.quiet(state, now_ns)
        effects += cleared
    state, told = _left_alone(state, now_ns)
    effects += told
    if state.door_open:
        state, told = passage.stood_open(state, now_ns, rules)
        effects += told
    return _remembered(state, now_ns, rules), effects


def _left_alone(state: State, now_ns: int) -> Step:
    """A question keeper did not answer, and keys nobody went on with."""
    effects: tuple[Effect, ...] = ()
    if state.check and now_ns >= state.check.until_ns:
        over = card.abandoned(state.check)
        state, effects = changed(state, check=None), (*over, Show(Signal.REFUSED))
    if state.entry and now_ns - state.entry.last_ns > keypad.KEY_TIMEOUT_NS:
        said = () if keypad.arms_page(state.entry) else (Show(Signal.REFUSED),)  # that was done, and noted
        state, effects = changed(state, entry=None), (*effects, *said)
    return state, effects


def _remembered(state: State, now_ns: int, rules: Rules) -> State:
    if not state.asked or now_ns - state.asked[0].at_ns < rules.remembered_ns:
        return state  # the oldest comes first; who presses often leaves a hundred
    # By a list: CPython makes room for ten of a generator, cuts it, and keeps one more of that length aside each time.
    return changed(state, asked=tuple([one for one in state.asked if now_ns - one.at_ns < rules.remembered_ns]))


# ---- what the other rooms say


def _came(state: State, event: Came, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    match event.msg:
        case wire.Verdict():
            return _verdict(state, event.sender, event.msg, now_ns, fresh, rules)
        case wire.Answer(nonce, outcome):
            return _answer(_answered(state, event.sender, nonce), nonce, outcome, now_ns, rules)
        case wire.CardCommand(nonce, apdu):
            return card.told(state, nonce, apdu)
        case wire.ActEnded(result):
            return state, (Show(Signal.DONE if result is wire.Result.DONE else Signal.REFUSED),)
        case wire.Breach():
            return alarms.breach(state, now_ns, rules)
        case wire.LockedOut():
            return state, (Tell(OccurrenceKind.LOCKOUT),)  # and nothing at the door: it has had its refusal
        case other:
            return _about_faces(state, event.sender, other, now_ns, fresh, rules)


def _about_faces(state: State, sender: Room, msg: wire.Message, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    match msg:
        case wire.FaceReady():
            return window.readiness(state, msg)
        case wire.ClaimAnswer(nonce):
            return window.claim_answered(_answered(state, sender, nonce), msg, now_ns, fresh, rules)
        case wire.EnrolmentEnded(nonce, result):
            return window.enrolment_ended(_answered(state, sender, nonce), nonce, result)
        case wire.ChallengeRequest(nonce):
            return lights.asked(_answered(state, sender, nonce), nonce, fresh, rules), ()
        case wire.MotionRequest(nonce):
            state = window.doubted(_answered(state, sender, nonce, motion=True), nonce)
            return prompts.asked(state, nonce, now_ns, fresh), ()
        case wire.Guidance(nonce, hint):
            current = state.window is not None and state.window.nonce == nonce
            return state, (Show(Signal.LOOK, hint),) if current else ()
        case wire.CameraState(condition):
            return window.camera_says(state, condition)
    return state, ()


def _answered(state: State, room: Room, nonce: bytes, *, motion: bool = False) -> State:
    return changed(state, asked=_but(state.asked, room, nonce, motion=motion))


def _but(asked: tuple[Asked, ...], room: Room, nonce: bytes, *, motion: bool = False) -> tuple[Asked, ...]:
    """What is still asked once `room` has answered this; the last that was asked is looked at first."""
    for at in range(len(asked) - 1, -1, -1):
        if (asked[at].room, asked[at].nonce, asked[at].motion) == (room, nonce, motion):
            return asked[:at] + asked[at + 1 :]
    return asked


def _verdict(state: State, sender: Room, verdict: wire.Verdict, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    kept = _but(state.asked, sender, verdict.nonce)
    expected = len(kept) < len(state.asked)
    alive = 0 <= now_ns - verdict.stamped_ns <= rules.verdict_life_ns
    valid = expected and alive
    check = state.check
    if check and check.opens and sender is Room.KEEPER and check.nonce == verdict.nonce:
        state = changed(state, asked=kept, check=None)
        opens = valid and verdict.outcome in _ACCEPTED and verdict.slot != wire.NOBODY
        before = valid and verdict.outcome is Outcome.USED and not check.card
        decided: Step = (state, (Show(Signal.TELL_MANAGER if before else Signal.REFUSED),))
        if opens:
            decided = _decide(state, now_ns, rules, check.by, verdict.slot)
        shown = (decided[0], (*decided[1], *card.let_go(check)))
        return _with_a_call_for_help(shown) if expected and verdict.outcome is Outcome.DURESS else shown
    state = changed(state, asked=kept)
    looking = state.window
    if looking and looking.mode is LookMode.RECOGNISE and sender is Room.VAULT and looking.nonce == verdict.nonce:
        match window.worth(looking, verdict, rules) if valid else Worth.NOTHING:
            case Worth.OPENS:
                return _decide(state, now_ns, rules, Method.FACE, verdict.slot)
            case Worth.ONCE:
                return window.once(state, looking, verdict.slot, now_ns, fresh, rules)
            case Worth.PIN:
                return window.recognised(state, looking, verdict.slot, now_ns, fresh, rules)
            case Worth.NOTHING:
                return window.refused(state, looking, now_ns, fresh, rules)
    late: Step = (state, ())  # its window or check is over
    called = expected and sender is Room.KEEPER and verdict.outcome is Outcome.DURESS
    return _with_a_call_for_help(late) if called else late


def _decide(state: State, now_ns: int, rules: Rules, method: Method, slot: int) -> Step:
    """The one place from which the door opens."""
    if method not in rules.methods or slot in rules.barred:
        if method is not Method.FACE:
            return state, (Show(Signal.REFUSED),)  # as for a wrong PIN: a window that is open stays open
        state, closed = window.ended(state, Signal.REFUSED)
        return state, closed or (Show(Signal.REFUSED),)
    state, closed = window.ended(state, Signal.OPENED)
    shown = closed or (Show(Signal.OPENED),)
    granted = changed(
        state,
        granted_until_ns=now_ns + rules.unlock_ns,
        opened_while_granted=False,
        claim=None,
        announce_at_ns=now_ns + rules.announce_ns if rules.ending is Ending.ANNOUNCED else None,
    )
    return granted, (Release(rules.unlock_ns), *shown)


def _answer(state: State, nonce: bytes, outcome: Outcome, now_ns: int, rules: Rules) -> Step:
    check = state.check
    if check is None or check.nonce != nonce or (check.opens and not check.card):
        return _with_a_call_for_help((state, ())) if outcome is Outcome.DURESS else (state, ())
    accepted = outcome in _ACCEPTED
    well = Signal.DONE if check.card else Signal.NOTED  # with the card an act is over that began with the PIN
    if check.ends_door and accepted:
        state = changed(state, proven_until_ns=now_ns + rules.proof_ns)
    no = Signal.TELL_MANAGER if check.redeems and outcome is Outcome.USED else Signal.REFUSED
    shown = (changed(state, check=None), (Show(well if accepted else no), *card.let_go(check)))
    return _with_a_call_for_help(shown) if outcome is Outcome.DURESS else shown


def _with_a_call_for_help(shown: Step) -> Step:
    """The same, and report hears of it: behind all that anybody sees (`_help_last`), or as soon as it is there.

    However late keeper's word comes: keeper was certain, and a call costs nothing.
    """
    state, effects = shown
    if Room.REPORT not in state.up:
        return changed(state, help_owed=True), effects
    return state, (*effects, HELP)


def _help_last(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    for effect in effects:
        if effect is HELP:
            return (*(other for other in effects if other is not HELP), HELP)
    return effects


# ---- time, and the table


def _tick(state: State, _event: Tick, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    return state, ()


_HANDLERS: dict[type, Callable[..., Step]] = {
    FaceButton: window.pressed,
    Key: typed.key,
    CardCame: card.came,
    CardReplied: card.replied,
    CardLeft: card.left,
    NumberRead: card.bare_number,
    DoorMoved: passage.door_moved,
    TamperMoved: passage.tamper_moved,
    ExitRequested: passage.exit_requested,
    Came: _came,
    PeerUp: neighbours.came,
    PeerDown: neighbours.gone,
    Breached: passage.breached,
    BoltFailed: passage.bolt_failed,
    BoltObeys: passage.bolt_obeys,
    Tick: _tick,
}
