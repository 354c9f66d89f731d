"""What comes of the keys that somebody presses: a question to keeper, the page, or a tone. Pure, part of `machine`.

Rules kept here:
- Keys never open anything by themselves, and never the camera: a row of them that means something (`keypad`) becomes
  one question to keeper, under a nonce of its own, and what keeper answers decides.
- The question goes out before the tone that says "wait": somebody stands there and waits for the answer.
- While keeper is asked, keys are not taken. Nonsense, and a question nobody is there for, is refused like a wrong PIN.
"""

from __future__ import annotations

from device import wire
from device.edges import Room
from device.lock import keypad
from device.lock.alarms import Step
from device.lock.change import changed
from device.lock.state import Asked, Check, Key, Rules, Send, Show, Signal, State
from device.wire import Ending


def key(state: State, event: Key, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """Somebody pressed a key."""
    if event.key not in keypad.KEYS or len(event.key) != 1:
        return state, ()
    if state.check:
        return state, (Show(Signal.WAIT),)
    entry = keypad.press(state.entry, event.key, now_ns)
    if entry is None:
        return changed(state, entry=None), (Show(Signal.KEY),)
    if keypad.arms_page(entry):
        return _arm_page(state, entry, rules)
    request = keypad.read(entry, state.claim.slot if state.claim else None)
    if request is keypad.Reading.MORE:
        return changed(state, entry=entry), (Show(Signal.KEY),)
    if isinstance(request, keypad.Reading) or Room.KEEPER not in state.up:
        return changed(state, entry=None, claim=None), (Show(Signal.REFUSED),)
    check = Check(
        fresh,
        now_ns + rules.check_ns,
        opens=isinstance(request, keypad.OpenDoor),
        redeems=isinstance(request, keypad.NewSecret) and request.proof is wire.Proof.INVITATION,
        ends_door=isinstance(request, keypad.EndDoor),
    )
    asked = (*state.asked, Asked(fresh, Room.KEEPER, now_ns))
    state = changed(state, entry=None, claim=None, check=check, asked=asked)
    return state, (Send(Room.KEEPER, _question(request, fresh, rules)), Show(Signal.WAIT))


def _arm_page(state: State, entry: keypad.Entry, rules: Rules) -> Step:
    """`012 #`: nobody has shown anything, and nothing follows from it but that desk may serve its page for a while."""
    if not rules.page or Room.DESK not in state.up or rules.ending is Ending.RETIRED:
        return changed(state, entry=None), (Show(Signal.REFUSED),)
    return changed(state, entry=entry), (Send(Room.DESK, wire.PageArmed()), Show(Signal.NOTED))


def _question(request: keypad.Request, nonce: bytes, rules: Rules) -> wire.Message:
    match request:
        case keypad.OpenDoor(claim, digits):
            return wire.CheckPin(nonce, claim, digits, rules.day)
        case keypad.PersonalAct(purpose, claim, digits):
            return wire.ProvePin(nonce, purpose, claim, digits)
        case keypad.SitDown(claim, digits, code):
            return wire.ProvePin(nonce, wire.Purpose.PAGE, claim, digits, code)
        case keypad.EndDoor(claim, digits):
            return wire.ProveResident(nonce, claim, digits)
        case keypad.ChangeOfCards(change, claim, digits):
            return wire.ChangeCards(nonce, change, claim, digits)
        case keypad.NewSecret(proof, secret, claim, shown, new):
            return wire.SetPin(nonce, proof, secret, claim, shown, new)
