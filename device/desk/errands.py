"""Who waits for what, and until when.

Rules kept here:
- A room answers what it was asked in order. A question whose asker has left, or has waited too long, keeps its place in
  the line: its late answer is then told to nobody, and never taken for the next one's.
- Every question ends: with the answer, or with FAULT when the room is away, leaves, or takes too long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from device import attestation, wire
from device.attestation import ConsentRecord, EndOfDoor, Paper, Receipt
from device.edges import Room
from device.errors import AttestationRefused, NotPermitted
from device.wire import Purpose, Result

# What the door signs about an act of this purpose; about the others nothing.
_SIGNED: dict[Purpose, type[Paper]] = {
    Purpose.ENROL: ConsentRecord,
    Purpose.RENEW: ConsentRecord,
    Purpose.ERASE: Receipt,
}

BUSY = Result.BUSY  # what somebody hears who asks while another person is being served


def ends_a_door(content: bytes) -> bool:
    """Whether `content` is what may be said of the door's end: nothing yet, or its signed receipt and nothing else."""
    if not content:
        return True
    try:
        return isinstance(attestation.verify(content).paper, EndOfDoor)
    except AttestationRefused:
        return False


class Rooms(Protocol):
    """The part of `device.service.Service` that the desk uses."""

    def send(self, peer: Room, msg: wire.Message) -> bool:
        """Send to `peer` if it is there; False if not."""


class Asker(Protocol):
    """Whoever waits for an answer: a command line, or somebody at the residents' page."""

    def send(self, msg: wire.Message) -> bool:
        """Hear `msg`, without keeping anybody waiting."""


@dataclass(slots=True)
class Errand:
    """A question under way. `asker` is None once nobody waits for its answer any more."""

    asker: Asker | None
    ends_s: float

    def tell(self, msg: wire.Message) -> None:
        """Say `msg` to whoever still waits."""
        if self.asker:
            self.asker.send(msg)


@dataclass(slots=True)
class ActErrand(Errand):
    """An act that vault does. `grant` names it, `attested` says that its paper was handed on.

    `purpose` is None for a rekey: that is nobody's personal act, and `grant` is then a nonce of the desk's own.
    """

    purpose: Purpose | None
    grant: bytes
    attested: bool = False

    def attested_by(self, content: bytes) -> bool:
        """Whether `content` is the one paper the door signs about such an act, and nothing else that would fit."""
        wanted = _SIGNED.get(self.purpose) if self.purpose else None
        if wanted is None or self.attested:
            return False
        try:
            self.attested = isinstance(attestation.verify(content).paper, wanted)
        except AttestationRefused:
            return False
        return self.attested


@dataclass(slots=True)
class Questions:
    """What one room was asked and has not answered yet, oldest first; at most `most` at a time."""

    rooms: Rooms
    room: Room
    wait_s: float
    most: int
    _open: deque[Errand] = field(default_factory=deque)

    def ask(self, asker: Asker, msg: wire.Message, now_s: float) -> None:
        """Put `msg` to the room for `asker`, who is told at once if that cannot be."""
        if len(self._open) >= self.most:
            asker.send(wire.Ended(BUSY))
        elif self.rooms.send(self.room, msg):
            self._open.append(Errand(asker, now_s + self.wait_s))
        else:
            asker.send(wire.Ended(Result.FAULT))

    def answer(self, msg: wire.Message) -> None:
        """Tell the oldest asker. Raises NotPermitted if nobody asked."""
        if not self._open:
            text = f"{self.room} sent {type(msg).__name__}, for which nobody had asked"
            raise NotPermitted(text)
        self._open.popleft().tell(msg)

    def room_left(self) -> None:
        """The room owes nothing any more; everybody who waits is told."""
        waiting = list(self._open)
        self._open.clear()
        for errand in waiting:
            errand.tell(wire.Ended(Result.FAULT))

    def asker_left(self, asker: Asker) -> None:
        """Nobody waits at `asker` any more."""
        for errand in self._open:
            if errand.asker is asker:
                errand.asker = None

    def deadline(self) -> float | None:
        """When the next one has waited long enough."""
        return min((errand.ends_s for errand in self._open if errand.asker), default=None)

    def tick(self, now_s: float) -> None:
        """Tell whoever has waited too long."""
        for errand in list(self._open):
            if now_s >= errand.ends_s:
                errand.tell(wire.Ended(Result.FAULT))
                errand.asker = None


def order(act: ActErrand, asked: wire.Act | None = None) -> wire.Message:
    """What vault is told to do for `asked`; None: the keys are to be renewed. Raises NotPermitted."""
    if asked is None:
        return wire.Rekey(act.grant)
    match asked.purpose:
        case Purpose.ENROL:
            return wire.Enrol(act.grant, asked.consent, asked.under_14, asked.covered, asked.again)
        case Purpose.ERASE:
            return wire.Erase(act.grant)
        case Purpose.PAUSE:
            return wire.Pause(act.grant)
        case Purpose.RESUME:
            return wire.Resume(act.grant)
        case Purpose.RENEW:
            return wire.Renew(act.grant, asked.consent)
        case Purpose.PAGE:
            msg = "a sitting is opened at the keypad, and is no act"
            raise NotPermitted(msg)
