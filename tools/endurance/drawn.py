"""What every moment of a random life is made of: one door, one number, and what is drawn from it.

Rules kept here:
- The same number draws the same, in the same order.
- Half of what is drawn is what is waited for, so that lives get far; the other half is late, old, or another's.
"""

from __future__ import annotations

from random import Random
from typing import Any

from device import wire
from device.edges import Room
from device.wire import CameraCondition, Hint, LookMode, Message, Outcome, Result
from tools.endurance.door import Door, Life
from tools.endurance.locks import Lock

MS = 1_000_000
_AGES_MS = (0, 0, 0, 20, 100, 499, 500, 501, 900, 5000, -1, -600)
GAPS_MS = (1, 20, 400, 400, 900, 1100, 2500, 4000, 6000, 9000, 16_000)
_SLOTS = (12, 12, 12, 7, 0)
OUTCOMES = (*(Outcome.ACCEPTED,) * 3, Outcome.REFUSED, Outcome.WITH_PIN, Outcome.DURESS)
READY = (
    (True, False, False, False),
    (True, False, False, False),
    (False, False, True, False),
    (False, True, False, True),  # somebody enrols covered: the rarer way takes every path of the other
    (False, False, False, False),
)
COMMANDS = (b"\xff\xca\0\0\0", b"\x90\x5a\0\0\3\0\0\0\0")
REPLIES = (b"\x90\0", b"\x91\xaf")


class Drawn:
    """Draws for one door; `events` counts what happened to it."""

    def __init__(self, lock: Lock, number: int) -> None:
        self._random = Random(number)
        draw = self._random.random
        life = Life(draw() < 0.6, draw() < 0.5, draw() < 0.5, draw() < 0.5, draw() < 0.75, lights=number % 2 == 1)
        self.door = Door(lock, life)
        self.events = self.decisions = self.windows = 0
        self._later: list[tuple[Room, Message]] = []

    def _one(self, choices: tuple[Any, ...]) -> Any:
        return choices[int(self._random.random() * len(choices))]

    def _nonce(self, room: Room) -> bytes:
        """One that is waited for, mostly; or an older one, one of another room, or none of lock's."""
        chance, door = self._random.random(), self.door
        if chance < 0.6:
            looking = door.oracle.looking
            return looking.asked.nonce if room is Room.VAULT and looking else door.oracle.keeper_asked or bytes(16)
        open_ones = [nonce for _, nonce in door.oracle.questions]
        if chance < 0.8 and open_ones:
            return self._random.choice(open_ones)
        drawn = door.lock.clock.drawn
        if chance < 0.95 and drawn:
            return max(1, drawn - int(self._random.random() * 8)).to_bytes(16, "big")
        return b"\xff" * 16

    def _told(self, sender: Room, msg: Message) -> None:
        self.events += 1
        self.door.says(sender, msg)

    def _verdict(self, nonce: bytes) -> wire.Verdict:
        stamped = self.door.lock.clock.now_ns - self._one(_AGES_MS) * MS
        return wire.Verdict(nonce, stamped, self._one(OUTCOMES), self._one(_SLOTS))

    def _any_message(self, sender: Room) -> Message:
        """Anything that exists, from whoever."""
        one, nonce = self._one, self._nonce(sender)
        flags = one(READY)
        made: tuple[Message, ...] = (
            self._verdict(nonce),
            wire.ClaimAnswer(nonce, one((True, False))),
            wire.EnrolmentEnded(nonce, one((Result.DONE, Result.CONFIRM))),
            wire.Answer(nonce, one(OUTCOMES)),
            wire.Guidance(nonce, Hint.COME_CLOSER),
            wire.FaceReady(*flags),
            wire.CameraState(one(tuple(CameraCondition))),
            wire.Breach(),
            wire.AskStatus(),
            wire.OfferKept(12, 1, Result.DONE),
            wire.Close(),
            wire.Look(nonce, LookMode.RECOGNISE),
            wire.CheckPin(nonce, 12, "482913", 1),
            wire.CardCommand(nonce, one(COMMANDS)),
            wire.CardAnswer(nonce, one(REPLIES)),
        )
        if self.door.life.lights:
            made += (wire.ChallengeRequest(nonce), wire.MotionRequest(nonce))
        chosen: Message = one(made)
        return chosen

    def _touch(self, event: Any) -> None:
        self.events += 1
        self.door.touched(event)

    def _ready(self, flags: tuple[bool, bool, bool, bool]) -> None:
        self._told(Room.EYE, wire.CameraState(CameraCondition.IDLE))
        self._told(Room.VAULT, wire.FaceReady(*flags))

    def passes(self) -> None:
        """Time, with lock awake."""
        self.events += 1
        self.door.passes(self._one(GAPS_MS) * MS)
