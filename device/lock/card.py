"""A card in front of the reader: lock hands on what keeper says to it, and what it answers. Pure, part of `machine`.

Rules kept here:
- lock understands neither side of the talk. What opens is keeper's Verdict to the nonce of this very exchange, through
  the same place as any other (`machine._decide`).
- One exchange at a time, and never beside a PIN that is being checked: what keeper says next belongs to one card.
- A card that was read is let go whatever came of it, so that it can be shown again; the reader does not report it anew
  before it has left.
- A card that comes while somebody types is let go; whatever comes and goes in front of the reader erases nobody's keys.
  Keys that were left standing are forgotten: they must not run into the next person's.
- A bare number, which anybody can copy, opens nothing.
"""

from __future__ import annotations

from dataclasses import replace

from device import wire
from device.edges import Room
from device.lock.alarms import Step
from device.lock.change import changed
from device.lock.state import (
    Asked,
    CardCame,
    CardLeft,
    CardReplied,
    CardSend,
    Check,
    Effect,
    NumberRead,
    Rules,
    Send,
    Show,
    Signal,
    State,
)
from device.policy.methods import Method

TYPING_NS = 2_000_000_000  # from one key to the next, for most hands; a card comes once a second at most (pcsc_worker)


def came(state: State, _event: CardCame, now_ns: int, fresh: bytes, rules: Rules) -> Step:
    """A card is there: keeper may talk to it."""
    if state.check:
        # Beside an exchange this one is let go when that one ends, and never before: it may be at the same reader.
        return state, (Show(Signal.WAIT),) if state.check.card else (Show(Signal.WAIT), CardSend(None))
    if state.entry and now_ns - state.entry.last_ns < TYPING_NS:
        return state, (Show(Signal.WAIT), CardSend(None))
    if Room.KEEPER not in state.up:
        return changed(state, entry=None, claim=None), (Show(Signal.REFUSED), CardSend(None))
    check = Check(fresh, now_ns + rules.card_ns, opens=True, by=Method.CARD)
    asked = (*state.asked, Asked(fresh, Room.KEEPER, now_ns))
    state = changed(state, entry=None, claim=None, check=check, asked=asked)
    return state, (Send(Room.KEEPER, wire.CardShown(fresh)), Show(Signal.WAIT))


def told(state: State, nonce: bytes, apdu: bytes) -> Step:
    """Hand on what keeper says to the card of the exchange `nonce`."""
    check = _there(state)
    return state, (CardSend(apdu),) if check and check.nonce == nonce else ()


def replied(state: State, event: CardReplied, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """The card answered."""
    check = _there(state)
    return state, (Send(Room.KEEPER, wire.CardAnswer(check.nonce, event.apdu)),) if check else ()


def left(state: State, _event: CardLeft, _now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """The card is gone; keeper says what that means, and until then no other takes its place."""
    check = _there(state)
    if check is None:
        return state, ()
    return changed(state, check=replace(check, left=True)), (Send(Room.KEEPER, wire.CardGone(check.nonce)),)


def bare_number(state: State, _event: NumberRead, now_ns: int, _fresh: bytes, _rules: Rules) -> Step:
    """A reader that can do no more read a card's number."""
    if state.check or (state.entry and now_ns - state.entry.last_ns < TYPING_NS):
        return state, (Show(Signal.WAIT),)
    return changed(state, entry=None, claim=None), (Show(Signal.REFUSED),)


def let_go(check: Check) -> tuple[Effect, ...]:
    """The card of an exchange that is over."""
    return (CardSend(None),) if check.card else ()


def abandoned(check: Check) -> tuple[Effect, ...]:
    """An exchange that took too long: neither side goes on with it."""
    if not check.card:
        return ()
    told_already = () if check.left else (Send(Room.KEEPER, wire.CardGone(check.nonce)),)
    return (*told_already, CardSend(None))


def _there(state: State) -> Check | None:
    """The exchange whose card has not left, if there is one."""
    return state.check if state.check and state.check.card and not state.check.left else None
