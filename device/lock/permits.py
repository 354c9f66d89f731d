"""Which message lock accepts from whom, and when: the table of *message x sender x state*.

Rules kept here:
- What is not in the table is fatal to that connection and an alarm; it is never merely ignored.
- An exchange with a card is one question: keeper may send commands under its nonce until it answers.
- A reply is accepted only to a nonce that was asked of that very room and not answered yet. One that comes after its
  window or check ended is late, not a breach: the machine drops it.
- eye may ask for one light challenge and for one motion challenge in each approach that recognises, as if either were a
  reply to `Look`. That it is too early or too late for it is no breach: lock drives nothing then (`lights`).
- Only the two rows marked `may_open` can lead to an open door; `ClaimAnswer` can lead to an open camera and no further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from device import wire
from device.edges import Room
from device.lock.state import State
from device.wire import Message

Moment = Callable[[State, Room, Message], bool]


def always(_state: State, _sender: Room, _msg: Message) -> bool:
    """At any time."""
    return True


def asked(state: State, sender: Room, msg: Message) -> bool:
    """Only as the first reply to a nonce that went to this sender."""
    nonce = getattr(msg, "nonce", b"")
    return any(one.nonce == nonce and one.room is sender and not one.motion for one in reversed(state.asked))


def looked(state: State, sender: Room, msg: Message) -> bool:
    """Only the first request for a motion challenge in an approach that eye was told to recognise somebody in."""
    nonce = getattr(msg, "nonce", b"")
    return any(one.nonce == nonce and one.room is sender and one.motion for one in reversed(state.asked))


@dataclass(frozen=True, slots=True)
class Permit:
    """One row."""

    sender: Room
    message: type[Message]
    moment: Moment
    may_open: bool = False


PERMITS = (
    Permit(Room.EYE, wire.CameraState, always),
    Permit(Room.EYE, wire.ChallengeRequest, asked),
    Permit(Room.EYE, wire.MotionRequest, looked),
    Permit(Room.EYE, wire.Breach, always),
    Permit(Room.VAULT, wire.Verdict, asked, may_open=True),
    Permit(Room.VAULT, wire.ClaimAnswer, asked),
    Permit(Room.VAULT, wire.FaceReady, always),
    Permit(Room.VAULT, wire.EnrolmentEnded, asked),
    Permit(Room.VAULT, wire.ActEnded, always),
    Permit(Room.VAULT, wire.Guidance, always),
    Permit(Room.VAULT, wire.Retired, always),
    Permit(Room.VAULT, wire.Breach, always),
    Permit(Room.KEEPER, wire.Verdict, asked, may_open=True),
    Permit(Room.KEEPER, wire.Answer, asked),
    Permit(Room.KEEPER, wire.CardCommand, asked),
    Permit(Room.KEEPER, wire.OfferKept, always),
    Permit(Room.KEEPER, wire.Occupied, always),
    Permit(Room.KEEPER, wire.LockedOut, always),
    Permit(Room.KEEPER, wire.Retired, always),
    Permit(Room.KEEPER, wire.Breach, always),
    Permit(Room.REPORT, wire.Document, always),
    Permit(Room.DESK, wire.Document, always),
    Permit(Room.DESK, wire.AskStatus, always),
    Permit(Room.DESK, wire.RetireDoor, always),
    Permit(Room.DESK, wire.Breach, always),
)
_TABLE = {(permit.sender, permit.message): permit for permit in PERMITS}


def permitted(state: State, sender: Room, msg: Message) -> bool:
    """Whether `sender` may send `msg` in `state`."""
    permit = _TABLE.get((sender, type(msg)))
    return permit is not None and permit.moment(state, sender, msg)
